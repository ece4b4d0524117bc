#include "algebra/cpu/page_memory.hpp"

#include <sys/mman.h>

#include <string>

#include "algebra/cpu/tiling.hpp"
#include "base/error.hpp"

namespace secondorder {

PageMemory::PageMemory(std::size_t bytes) {
  constexpr std::size_t page = 4096, large_page = 2 << 20;
  if (bytes == 0) return;
  bytes_ = round_up(bytes, bytes < large_page ? page : large_page);
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(ErrorCode::out_of_memory,
                "the system refused " + std::to_string(bytes_) + " bytes of memory");
  }
  data_ = static_cast<std::byte*>(memory);
#if defined(MADV_HUGEPAGE)
  if (bytes_ >= large_page) madvise(memory, bytes_, MADV_HUGEPAGE);  // only advice: may be refused
#endif
}

PageMemory::~PageMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace secondorder
