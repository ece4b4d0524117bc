// Pass one over int8 rows; a part of products.hpp.
#pragma once

#include "row_window/products.hpp"

namespace secondorder::cuda {

template <bool is_candidate, unsigned vectors>
void launch_int8_products(const ProductsPass& pass, const SingleRow& candidate,
                          cudaStream_t stream);

}  // namespace secondorder::cuda
