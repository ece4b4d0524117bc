#include "device/cost.hpp"

#include <algorithm>

#include "base/thread_pool.hpp"

namespace secondorder {

using namespace assumed;

double cpu_seconds(const Work& work, int threads) {
  const double team = threads > 0 ? threads : available_threads();
  const double rate = cpu_operations_per_thread * team * (work.float64 ? 0.5 : 1);
  return work.operations / rate + work.bytes / std::min(cpu_bytes, cpu_bytes_per_thread * team);
}

double gpu_seconds(const Work& work) {
  const double rate = gpu_operations * work.gpu_share * (work.float64 ? gpu_float64_share : 1);
  return start_seconds + work.operations / rate + work.bytes / gpu_bytes +
         work.transfer_bytes / transfer_bytes + work.launches * launch_seconds;
}

}  // namespace secondorder
