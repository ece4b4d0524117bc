#include "algebra/arena.hpp"

#include "base/error.hpp"

namespace secondorder {

std::byte* Arena::take(std::size_t bytes) {
  const std::size_t offset = used_;
  used_ += (bytes + alignment - 1) / alignment * alignment;
  if (counting()) return nullptr;
  if (used_ > capacity_) {
    throw Error(ErrorCode::internal, "a workspace grew past the bytes it had planned");
  }
  return memory_->data() + offset;
}

}  // namespace secondorder
