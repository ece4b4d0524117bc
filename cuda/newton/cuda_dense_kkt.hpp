// The dense forms of KKT matrices (newton/linear/dense_kkt_form.hpp) on an NVIDIA GPU.
#pragma once

#include <memory>

#include "newton/dense_device.hpp"
#include "newton/linear/dense_kkt_form.hpp"

namespace secondorder::cuda {

/// For systems with the patterns of `pattern`. All memory is allocated here.
std::unique_ptr<newton::DenseFactors> make_cuda_dense_factors(const DenseSettings& settings,
                                                              const newton::KktSystem& pattern);
std::unique_ptr<newton::DenseProducts> make_cuda_dense_products(const DenseSettings& settings,
                                                                const newton::KktSystem& pattern,
                                                                const newton::RowBlockPlan& plan);

}  // namespace secondorder::cuda
