// Where `auto` computes: an estimate of seconds on the CPU and on a GPU.
//
// The rates below are round numbers of common machines, on purpose to the GPU's disadvantage: what
// they are for is to keep small work on the CPU. scripts/gpu measures the crossover on a GPU; until
// it has been run there these are estimates, not measurements.
#pragma once

namespace secondorder {

/// What a run does, apart from what is the same on any device.
struct Work {
  double operations = 0;      ///< multiplications with an addition, of large dense products
  double bytes = 0;           ///< read or written, where memory is what bounds it
  double transfer_bytes = 0;  ///< between the host and the device
  double launches = 0;        ///< kernels
  bool float64 = false;
  double gpu_share = 1;  ///< of the GPU's rate of products that the operations reach
};

namespace assumed {
inline constexpr double cpu_operations_per_thread = 25e9;  ///< a second, float32
inline constexpr double cpu_bytes_per_thread = 8e9;
inline constexpr double cpu_bytes = 100e9;  ///< of all threads together
inline constexpr double gpu_operations = 5e12;
inline constexpr double gpu_float64_share = 0.1;  ///< of its rate in float32
inline constexpr double gpu_bytes = 800e9;
inline constexpr double transfer_bytes = 8e9;
inline constexpr double launch_seconds = 10e-6;
inline constexpr double start_seconds = 1;  ///< a context, cuBLAS and cuSOLVER, once in a process
}  // namespace assumed

/// `threads` as in RunControl: 0 for all that there are.
double cpu_seconds(const Work& work, int threads);
double gpu_seconds(const Work& work);

}  // namespace secondorder
