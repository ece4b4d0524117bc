// In the place of cuda/library.cpp: the emulated cuBLAS and cuSOLVER, linked in.
#include "libraries.hpp"
#include "library.hpp"

namespace secondorder::cuda {

#define SECONDORDER_FILL(result, name, parameters) functions.name = ::name;

const Cublas& cublas() {
  static const Cublas linked = [] {
    Cublas functions;
    SECONDORDER_CUBLAS_FUNCTIONS(SECONDORDER_FILL)
    return functions;
  }();
  return linked;
}

const Cusolver& cusolver() {
  static const Cusolver linked = [] {
    Cusolver functions;
    SECONDORDER_CUSOLVER_FUNCTIONS(SECONDORDER_FILL)
    return functions;
  }();
  return linked;
}

#undef SECONDORDER_FILL

std::string library_files() { return "linked\nlinked"; }

}  // namespace secondorder::cuda
