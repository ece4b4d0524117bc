// cuBLAS and cuSOLVER, opened at run time: they belong to the machine, are hundreds of megabytes,
// and not every use of the backend needs them.
#pragma once

#include <string>

#include "cublas.hpp"
#include "cusolver.hpp"

namespace secondorder::cuda {

/// The functions of each library, which is opened at the first call; from any thread. They fail
/// with ERR_CUDA_LIBRARY, telling where was looked and what to do; the next call looks again then.
const Cublas& cublas();
const Cusolver& cusolver();

/// The files of both, one in a line.
std::string library_files();

}  // namespace secondorder::cuda
