#include "equipoise/numerics/uninitialised.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace equipoise::numerics {

void* take_storage(std::size_t bytes) {
  constexpr std::size_t large_page = std::size_t(1) << 21, line = 64;
  const std::size_t alignment = bytes >= large_page ? large_page : line;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (rounded < bytes) throw std::bad_alloc();
  void* const storage = std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
  if (!storage) throw std::bad_alloc();
  if (alignment == large_page) madvise(storage, rounded, MADV_HUGEPAGE);  // a wish: without it everything works, slower
  return storage;
}

void give_storage(void* storage) noexcept { std::free(storage); }

}  // namespace equipoise::numerics
