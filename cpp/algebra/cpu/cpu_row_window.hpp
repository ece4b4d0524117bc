// The window of rows on the CPU: what each pass does with which block, over the inner loops of
// row_window_kernels.hpp.
#pragma once

#include <memory>
#include <vector>

#include "algebra/cpu/page_memory.hpp"
#include "algebra/cpu/row_window_kernels.hpp"
#include "algebra/cpu/thread_team.hpp"
#include "algebra/row_window.hpp"

namespace secondorder {

class CpuRowWindow final : public RowWindow {
 public:
  /// Throws ERR_OUT_OF_MEMORY; memory is taken from the machine as rows are first written.
  explicit CpuRowWindow(RowWindowShape shape,
                        const RowWindowKernels& kernels = row_window_kernels());

  /// What a window of this shape takes, or infinity: as a float, for it may not fit an integer.
  static double estimate_bytes(double rows, double columns, Storage storage);

  const RowWindowShape& shape() const override { return shape_; }
  void watch(const RunControl* control) override { team_.watch(control); }

  void propose(const HostVector& g, std::size_t used) override;
  void propose_part(std::size_t offset, const HostVector& part, std::size_t used) override;
  double candidate_products(std::span<double> products) override;
  void accept(std::size_t slot) noexcept override;
  void discard() noexcept override;

  void products(std::span<const HostVector> x, std::size_t used, std::span<double> y) override;
  void combine(std::span<const Combination> combinations) override;

  void read_row(std::size_t slot, std::span<double> values) const override;
  std::size_t row_bytes() const override;
  void export_row(std::size_t slot, std::span<std::byte> bytes) const override;
  void import_row(std::size_t slot, std::span<const std::byte> bytes) override;

  std::size_t window_bytes() const override;
  std::size_t bytes() const override;

 private:
  /// Where a block of columns lies.
  struct Block {
    std::size_t first, columns, lines;
  };
  /// Vectors that share one reading of the window.
  static constexpr std::size_t vectors_at_once = 8;
  /// Rows that are multiplied with one vector after another while they are in the cache.
  static constexpr std::size_t rows_at_once = 32;
  /// Tasks of a pass, at most: enough for the largest machines, few enough partial sums.
  static constexpr std::size_t most_tasks = 256;

  struct Sums {
    alignas(64) double values[block_columns];
  };
  /// Of one thread.
  struct Scratch {
    std::vector<BlockVector> x;  ///< as many as have been needed at once
    std::vector<Sums> sums;      ///< as many
    alignas(64) float values[block_columns];
    CombineScratch combine;
  };

  const RowKernels& rows() const { return kernels_[shape_.storage]; }
  Block block(std::size_t index) const;
  /// Rows [first, first + count) of a block, as far as they are stored; whole groups.
  RowBlock row_block(std::size_t index, std::size_t first, std::size_t count) const;
  std::byte* group(std::size_t block, std::size_t slot) const;
  std::size_t group_height(std::size_t slot) const;
  std::byte* candidate(std::size_t block) const;
  std::size_t first_block(std::size_t task) const { return task * blocks_per_task_; }
  std::size_t last_block(std::size_t task) const;
  std::size_t pass_bytes(std::size_t used) const;
  /// Position in the host's vectors of a column.
  std::size_t position(std::size_t column) const {
    return shape_.active.empty() ? column : shape_.active[column];
  }
  void prepare_scratch(std::size_t vectors);

  /// Rounds the blocks of a task and multiplies them; returns the first column that isn't finite.
  std::size_t propose_task(std::size_t task, int thread, const HostVector& g, bool packed,
                           std::size_t used);
  void propose_tasks(std::span<const std::size_t> tasks, const HostVector& g, bool packed,
                     std::size_t used);
  void add_products(std::size_t block, std::size_t vectors, std::size_t used, Scratch& scratch,
                    double* sums, std::size_t stride) const;
  bool combine_block(std::size_t block, std::span<const Combination> combinations,
                     Scratch& scratch) const;

  RowWindowShape shape_;
  const RowWindowKernels& kernels_;
  std::size_t per_line_, stored_rows_, blocks_, tasks_, blocks_per_task_;
  PageMemory data_;
  std::vector<float> scales_;  ///< blocks × stored rows, of float16 and int8
  ThreadTeam team_;
  std::vector<std::unique_ptr<Scratch>> scratch_;

  // The candidate.
  std::size_t candidate_bytes_;
  PageMemory candidate_;
  std::vector<float> candidate_scales_;    ///< a block each
  std::vector<double> candidate_sums_;     ///< tasks × stored rows: row · candidate
  std::vector<double> candidate_squares_;  ///< a task each: candidate · candidate
  std::vector<float> parts_;               ///< values that arrived in parts, by column
  std::vector<std::size_t> missing_;       ///< columns that a task still waits for
};

}  // namespace secondorder
