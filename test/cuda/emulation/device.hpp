// The emulated device, as tests see it from outside.
#pragma once

#include <cstddef>
#include <cstdint>

namespace secondorder::emulation {

/// Bytes the device has, of which an allocation takes whole 512; 1 GiB at first.
void set_memory_limit(std::size_t bytes);
/// 1 at first; 0 for none.
void set_device_count(int count);

/// Who refuses that work becomes a graph: nobody at first.
enum class Refusal { nothing, library /* calls in a capture */, instantiation };
void set_refusal(Refusal refusal);

/// What is held now: bytes and blocks of device memory, blocks of pinned host memory, streams,
/// events, graphs, handles of libraries.
struct Held {
  std::size_t bytes = 0, blocks = 0, pinned = 0, streams = 0, events = 0, graphs = 0, handles = 0;
  bool operator==(const Held&) const = default;
};
Held held();

/// Launches and library calls so far, of all threads, those into captures too; not those that a
/// graph is made of when it is launched.
std::uint64_t launches();
std::uint64_t graph_launches();
/// Times that the host waited for the device so far.
std::uint64_t synchronizations();

/// Called by the emulated libraries.
void count_handles(int change);

}  // namespace secondorder::emulation
