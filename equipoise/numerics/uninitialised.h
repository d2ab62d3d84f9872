#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace equipoise::numerics {

/// Storage for `bytes`, in large pages where it is long and the system has them: a sort that writes to a thousand places at once
/// then misses no page table, and a new column costs few page faults.
void* take_storage(std::size_t bytes);
void give_storage(void* storage) noexcept;

/// An allocator whose `resize` leaves numbers unset: for long columns that are written in full anyway.
template <class T>
struct Uninitialised : std::allocator<T> {
  T* allocate(std::size_t count) { return static_cast<T*>(take_storage(count * sizeof(T))); }
  void deallocate(T* storage, std::size_t) noexcept { give_storage(storage); }

  template <class U>
  struct rebind {
    using other = Uninitialised<U>;
  };
  template <class U>
  void construct(U* at) {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }
};

template <class T>
using Column = std::vector<T, Uninitialised<T>>;
using Words = Column<std::uint64_t>;
using Numbers = Column<double>;

}  // namespace equipoise::numerics
