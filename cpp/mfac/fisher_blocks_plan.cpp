// Planning of FisherBlocks: what is held, where it is kept, and whether there is room for it.
#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "mfac/fisher_blocks.hpp"
#include "mfac/fisher_blocks_teams.hpp"

namespace secondorder::mfac {

namespace {

std::string byte_count(std::size_t bytes) { return std::to_string(bytes) + " bytes"; }

}  // namespace

/// Rows to be held at most, where that is known beforehand.
std::size_t FisherBlocks::held_rows() const {
  if (options_.expected < shape_.block_size) return options_.expected;
  return std::min(options_.expected, fold_limit());
}

/// Rows are taken into the factors of blocks of B ≤ m once there are so many of them: enough for
/// the work on the factors not to matter.
std::size_t FisherBlocks::fold_limit() const {
  return std::max<std::size_t>(4 * shape_.block_size, 64);
}

BlocksForm FisherBlocks::form() const {
  return std::max(gradients_, form_ ? 0 : options_.expected) >= shape_.block_size
             ? BlocksForm::direct
             : BlocksForm::woodbury;
}

/// What the factors, the diagonal and the work on them take, for m gradients.
std::size_t FisherBlocks::factor_bytes(std::size_t m, int threads) const {
  const bool direct = m >= shape_.block_size;
  const std::size_t order = std::min(m, shape_.block_size);
  const std::size_t factors =
      direct ? DirectBlocks::planned_bytes(shape_) : WoodburyBlocks::planned_bytes(shape_, m);
  const std::size_t team_scratch = Team::scratch_bound(blocks_are_shared(shape_, order), order);
  const auto workers = static_cast<std::size_t>(threads > 0 ? threads : available_threads());
  const std::size_t teams = blocks_are_shared(shape_, order) ? 1 : workers;
  const std::size_t strips = workers * (std::size_t{1} << 20);
  return factors + shape_.dimension * sizeof(double) + teams * team_scratch + strips;
}

std::size_t FisherBlocks::memory() const {
  return options_.memory > 0 ? options_.memory : available_memory();
}

GradientStorage FisherBlocks::choose_storage() const {
  const std::size_t rows = held_rows();
  if (rows == 0) return options_.storage;
  const std::size_t rest = factor_bytes(options_.expected, 0), available = memory();
  const auto need = [&](GradientStorage storage) {
    return rows * GradientStore::row_bytes(shape_.dimension, storage);
  };
  const auto fits = [&](GradientStorage storage) { return rest + need(storage) <= available; };
  const std::string directory =
      options_.directory.empty() ? temporary_directory() : options_.directory;
  const auto refuse = [&](const std::string& tried) {
    throw Error(ErrorCode::out_of_memory,
                std::to_string(options_.expected) + " gradients of " +
                    std::to_string(shape_.dimension) + " entries in blocks of " +
                    std::to_string(shape_.block_size) + " need " + tried + ", and " +
                    byte_count(available) + " of memory are available");
  };
  const auto disk = [&](bool only) {
    const std::size_t free = rest <= available ? available_disk(directory) : 0;
    if (rest <= available && need(GradientStorage::disk) <= free) return GradientStorage::disk;
    const std::string memory =
        only ? "" : byte_count(rest + need(GradientStorage::bfloat16)) + " of memory, or ";
    refuse(memory + byte_count(rest) + " of memory with " +
           byte_count(need(GradientStorage::disk)) + " on disk (" + directory + " has " +
           byte_count(available_disk(directory)) + ")");
    return GradientStorage::disk;
  };
  switch (options_.storage) {
    case GradientStorage::disk:
      return disk(true);
    case GradientStorage::automatic:
      if (fits(GradientStorage::float32)) return GradientStorage::automatic;
      if (fits(GradientStorage::bfloat16)) return GradientStorage::bfloat16;
      return disk(false);
    default:
      if (!fits(options_.storage)) refuse(byte_count(rest + need(options_.storage)) + " of memory");
      return options_.storage;
  }
}

/// Throws ERR_OUT_OF_MEMORY where the factors have no room.
void FisherBlocks::require_factor_memory(int threads) const {
  const std::size_t bytes = factor_bytes(gradients_, threads), available = memory();
  if (bytes <= available) return;
  throw Error(ErrorCode::out_of_memory, "the factor of the blocks needs " + byte_count(bytes) +
                                            " of memory, and " + byte_count(available) +
                                            " are available");
}

}  // namespace secondorder::mfac
