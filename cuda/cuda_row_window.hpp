// The window of rows on a GPU.
#pragma once

#include <memory>

#include "algebra/row_window.hpp"

namespace secondorder::cuda {

/// On one device; fails with ERR_OUT_OF_MEMORY, need and have. Several devices have one each, put
/// together by ShardedRowWindow.
std::unique_ptr<RowWindow> make_cuda_row_window(int device, const RowWindowShape& shape);

}  // namespace secondorder::cuda
