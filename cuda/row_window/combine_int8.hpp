// Pass two over int8 rows; a part of combine.hpp.
#pragma once

#include "row_window/combine.hpp"

namespace secondorder::cuda {

template <unsigned vectors>
void launch_int8_combine(const CombinePass& pass, cudaStream_t stream);

}  // namespace secondorder::cuda
