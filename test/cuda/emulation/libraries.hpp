// The emulated functions of cuBLAS and cuSOLVER, by their own names.
#pragma once

#include "cublas.hpp"
#include "cusolver.hpp"

extern "C" {
#define SECONDORDER_DECLARE(result, name, parameters) result name parameters;
SECONDORDER_CUBLAS_FUNCTIONS(SECONDORDER_DECLARE)
SECONDORDER_CUSOLVER_FUNCTIONS(SECONDORDER_DECLARE)
#undef SECONDORDER_DECLARE
}
