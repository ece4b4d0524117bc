// The emulation itself: what kernels rely on when they run on the CPU.
#include <doctest/doctest.h>

#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "device.hpp"
#include "graph.hpp"
#include "launch.hpp"
#include "libraries.hpp"
#include "memory.hpp"

using namespace secondorder;

namespace {

/// Sums of `width` numbers by a tree in static and in dynamic shared memory, and across warps.
__global__ void sums(const double* from, double* by_tree, double* by_warps) {
  __shared__ double tree[128];
  double* const warps = cuda::dynamic_shared<double>();
  const unsigned t = threadIdx.x;
  const double own = from[blockIdx.x * blockDim.x + t];
  tree[t] = own;
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    __syncthreads();
    if (t < half) tree[t] += tree[t + half];
  }
  double sum = own;
  for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(0xFFFFFFFFU, sum, by);
  if (t % 32 == 0) warps[t / 32] = sum;
  __syncthreads();
  if (t == 0) {
    by_tree[blockIdx.x] = tree[0];
    by_warps[blockIdx.x] = 0;
    for (unsigned w = 0; w < blockDim.x / 32; ++w) by_warps[blockIdx.x] += warps[w];
  }
}

/// Each thread reads its neighbour's cell; without the barrier half of the blocks read too early.
__global__ void neighbours(int* out, bool synchronized) {
  __shared__ int cells[64];
  cells[threadIdx.x] = -1;
  __syncthreads();
  cells[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (synchronized) __syncthreads();
  out[blockIdx.x * 64 + threadIdx.x] = cells[(threadIdx.x + 1) % 64];
}

__global__ void shuffles(unsigned* out) {
  const unsigned lane = threadIdx.x;
  unsigned* own = out + lane * 6;
  own[0] = __shfl_sync(0xFFFFFFFFU, lane, 5);
  own[1] = __shfl_down_sync(0xFFFFFFFFU, lane, 3);
  own[2] = __shfl_up_sync(0xFFFFFFFFU, lane, 3);
  own[3] = __shfl_xor_sync(0xFFFFFFFFU, lane, 1, 8);
  own[4] = __ballot_sync(0xFFFFFFFFU, lane % 3 == 0);
  if (lane < 16) own[5] = __shfl_sync(0x0000FFFFU, lane * 10, 15);
}

__global__ void count(unsigned* total, int* votes) {
  atomicAdd(total, 1U);
  if (threadIdx.x == 7) return;
  *votes = __syncthreads_count(threadIdx.x % 2 == 0);
}

__global__ void half_wait() {
  if (threadIdx.x < 16) __syncwarp();
}

__global__ void indices(unsigned* out) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1;
}

__global__ void scale(double* values, double factor) { values[threadIdx.x] *= factor; }

}  // namespace

TEST_SUITE("CUDA emulation") {
  TEST_CASE("barriers, shared memory and warps add up") {
    std::vector<double> from(5 * 128), tree(5), warps(5);
    std::iota(from.begin(), from.end(), 1);
    cuda::launch(sums, 5, 128, 4 * sizeof(double), nullptr, from.data(), tree.data(), warps.data());
    for (std::size_t b = 0; b < 5; ++b) {
      const double want = 128 * (1 + 128 * static_cast<double>(b)) + 127 * 64;
      CHECK(tree[b] == want);
      CHECK(warps[b] == want);
    }
  }

  TEST_CASE("a missing barrier shows") {
    std::vector<int> good(4 * 64), bad(4 * 64);
    cuda::launch(neighbours, 4, 64, 0, nullptr, good.data(), true);
    cuda::launch(neighbours, 4, 64, 0, nullptr, bad.data(), false);
    for (int i = 0; i < 4 * 64; ++i) CHECK(good[static_cast<std::size_t>(i)] == (i % 64 + 1) % 64);
    CHECK(good != bad);
  }

  TEST_CASE("shuffles and votes") {
    std::vector<unsigned> out(32 * 6);
    cuda::launch(shuffles, 1, 32, 0, nullptr, out.data());
    for (unsigned lane = 0; lane < 32; ++lane) {
      CAPTURE(lane);
      const unsigned* own = &out[lane * 6];
      CHECK(own[0] == 5);
      CHECK(own[1] == (lane + 3 < 32 ? lane + 3 : lane));
      CHECK(own[2] == (lane >= 3 ? lane - 3 : lane));
      CHECK(own[3] == (lane ^ 1U));
      CHECK(own[4] == 0x49249249U);
      CHECK(own[5] == (lane < 16 ? 150 : 0));
    }
  }

  TEST_CASE("every index once, in all dimensions") {
    std::vector<unsigned> out(2 * 3 * 4 * 5 * 6 * 7, 0);
    cuda::launch(indices, dim3(2, 3, 4), dim3(5, 6, 7), 0, nullptr, out.data());
    for (const unsigned times : out) CHECK(times == 1);
  }

  TEST_CASE("threads that have ended are not waited for at a barrier, and are in a warp") {
    unsigned total = 0;
    int votes = 0;
    cuda::launch(count, 3, 64, 0, nullptr, &total, &votes);
    CHECK(total == 3 * 64);
    CHECK(votes == 32);
    CHECK_THROWS_AS(cuda::launch(half_wait, 1, 32, 0, nullptr), std::logic_error);
  }

  TEST_CASE("launches that no device takes are errors, empty ones nothing") {
    const auto before = emulation::launches();
    cuda::launch(half_wait, 0, 32, 0, nullptr);
    CHECK(emulation::launches() == before);
    CHECK(emulation::check_launch(1, 1025, 0, nullptr) == cudaErrorInvalidConfiguration);
    CHECK(emulation::check_launch(dim3(1, 65536), 1, 0, nullptr) == cudaErrorInvalidConfiguration);
    CHECK(emulation::check_launch(1, 1, 49153, nullptr) == cudaErrorInvalidConfiguration);
    CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
    CHECK(cudaGetLastError() == cudaSuccess);
  }

  TEST_CASE("memory has a limit, starts as NaNs, and is on one side") {
    const emulation::Held before = emulation::held();
    emulation::set_memory_limit(before.bytes + 4096);
    double* a = nullptr;
    double* b = nullptr;
    REQUIRE(cudaMalloc(&a, 2048) == cudaSuccess);
    CHECK(cudaMalloc(&b, 2049) == cudaErrorMemoryAllocation);
    CHECK(b == nullptr);
    std::size_t left = 0, total = 0;
    CHECK(cudaMemGetInfo(&left, &total) == cudaSuccess);
    CHECK(left == 2048);
    double host[2] = {1, 2};
    CHECK(cudaMemcpy(host, a, 8, cudaMemcpyDeviceToHost) == cudaSuccess);
    CHECK(std::isnan(host[0]));
    CHECK(cudaMemcpy(a, host, 8, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
    CHECK(cudaMemcpy(a + 255, host, 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(cudaMemcpy(a + 254, host, 16, cudaMemcpyHostToDevice) == cudaSuccess);
    CHECK(cudaFree(a) == cudaSuccess);
    CHECK(cudaFree(a) == cudaErrorInvalidValue);
    emulation::set_memory_limit(std::size_t{1} << 30);
    cudaGetLastError();
    CHECK(emulation::held() == before);
  }

  TEST_CASE("a capture keeps what is issued, by value, and its graph does it at each launch") {
    const emulation::Held before = emulation::held();
    const cuda::Stream stream;
    cublasHandle_t blas = nullptr;
    cublasCreate_v2(&blas);
    cublasSetStream_v2(blas, stream.get());
    double *x = nullptr, *y = nullptr;
    REQUIRE(cudaMalloc(&x, 4 * sizeof(double)) == cudaSuccess);
    REQUIRE(cudaMalloc(&y, 4 * sizeof(double)) == cudaSuccess);
    const cuda::DeviceMemory workspace(4096);
    cublasSetWorkspace_v2(blas, workspace.address(), workspace.bytes());
    const double ones[] = {1, 1, 1, 1};
    cudaMemcpy(x, ones, sizeof ones, cudaMemcpyHostToDevice);
    cudaMemcpy(y, ones, sizeof ones, cudaMemcpyHostToDevice);
    cuda::ExecutableGraph graph;
    {
      cuda::Capture capture(stream.get());
      double alpha = 2, beta = 1;  // y = 2·x·x + y, then x = y
      CHECK(cublasDgemm_v2(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &alpha, x, 2, x, 2, &beta, y,
                           2) == CUBLAS_STATUS_SUCCESS);
      alpha = beta = 0;
      double factor = 0.5;
      cuda::launch(scale, 1, 4, 0, stream.get(), y, factor);
      factor = 0;
      CHECK(cudaMemcpyAsync(x, y, sizeof ones, cudaMemcpyDeviceToDevice, stream.get()) ==
            cudaSuccess);
      CHECK(x[0] == 1);
      CHECK(y[0] == 1);
      graph = capture.finish();
    }
    cudaGraphLaunch(graph.get(), stream.get());
    CHECK(y[0] == 2.5);  // (2·2 + 1)/2
    cudaGraphLaunch(graph.get(), stream.get());
    CHECK(x[3] == 13.75);  // (2·2·2.5² + 2.5)/2
    graph.reset();
    cublasDestroy_v2(blas);
    cudaFree(x);
    cudaFree(y);
    CHECK(emulation::held().graphs == before.graphs);
  }

  TEST_CASE("what may not be captured invalidates the capture") {
    const cuda::Stream stream, other;
    cudaEvent_t event = nullptr;
    cudaEventCreate(&event);
    void* memory = nullptr;
    const auto refused = [&](cudaError_t want, auto call) {
      REQUIRE(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal) ==
              cudaSuccess);
      CHECK(call() == want);
      CHECK(cudaMemcpyAsync(&memory, &memory, sizeof memory, cudaMemcpyDefault, stream.get()) ==
            cudaErrorStreamCaptureInvalidated);
      cudaGraph_t graph = nullptr;
      CHECK(cudaStreamEndCapture(stream.get(), &graph) == cudaErrorStreamCaptureInvalidated);
      CHECK(graph == nullptr);
      CHECK(call() == cudaSuccess);
    };
    refused(cudaErrorStreamCaptureUnsupported, [&] { return cudaMalloc(&memory, 512); });
    refused(cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamSynchronize(stream.get()); });
    refused(cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamQuery(other.get()); });
    refused(cudaErrorStreamCaptureUnsupported, [&] { return cudaEventSynchronize(event); });
    refused(cudaErrorCapturedEvent, [&] {
      cudaEventRecord(event, stream.get());
      return cudaEventQuery(event);
    });

    // Of one thread's captures another knows nothing, but may not end them.
    cuda::Capture capture(stream.get());
    std::thread([&] {
      CHECK(cudaStreamSynchronize(other.get()) == cudaSuccess);
      cudaGraph_t graph = nullptr;
      CHECK(cudaStreamEndCapture(stream.get(), &graph) == cudaErrorStreamCaptureWrongThread);
    }).join();
    CHECK(capture.finish() != nullptr);
    cudaFree(memory);
    cudaEventDestroy(event);
    cudaGetLastError();
  }

  TEST_CASE("half precisions round to the nearest") {
    CHECK(__bfloat162float(__float2bfloat16(1.00390625F)) == 1.0F);  // a tie, to even
    CHECK(__bfloat162float(__float2bfloat16(1.01171875F)) == 1.015625F);
    CHECK(__half2float(__float2half(65504.0F)) == 65504.0F);
    CHECK(__half2float(__float2half(1.00048828125F)) == 1.0F);
    CHECK(__dp4a(0x01FF7F80, 0x02017F80, 5) == 5 + 2 - 1 + 127 * 127 + 128 * 128);
  }
}
