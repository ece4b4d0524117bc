#include "fisher_blocks.hpp"

#include <limits>

#include "fisher_blocks_handle.hpp"
#include "job.hpp"
#include "marshal.hpp"
#include "mfac/fisher_blocks.hpp"
#include "mfac/pruning_mask.hpp"
#include "mfac/removal.hpp"

namespace secondorder::binding {
namespace {

using mfac::FisherBlocks;

/// A job on a handle.
class BlocksTask : public Task {
 public:
  explicit BlocksTask(const Fields& spec)
      : state_(BlocksHandle::of(spec.value("blocks")).state()),
        handle_(Napi::Persistent(spec.value("blocks").As<Napi::Object>())) {}

  void run(RunControl& control) final {
    const std::lock_guard lock(state_->mutex);
    try {
      work(state_->blocks, control);
    } catch (const Cancelled&) {
      throw Error(ErrorCode::aborted, control.cancelled()
                                          ? "the operation was aborted"
                                          : "the operation's time limit was reached");
    }
  }

  Napi::Value deliver(Napi::Env env) final {
    BlocksHandle::of(handle_.Value()).tell(env);
    Napi::Object result = Napi::Object::New(env);
    write(env, result);
    return result;
  }

 protected:
  virtual void work(FisherBlocks& blocks, RunControl& control) = 0;
  virtual void write(Napi::Env, Napi::Object) {}

 private:
  std::shared_ptr<BlocksState> state_;
  Napi::ObjectReference handle_;
};

template <class Job>
std::unique_ptr<Task> make(const Fields& spec) {
  return std::make_unique<Job>(spec);
}

std::size_t index(const Fields& spec, const char* name) {
  return static_cast<std::size_t>(spec.integer(name, 0));
}

/// fisherBlocksCreate({ dimension, blockSize?, damping, storage, expected?, directory? }) -> handle
Napi::Value create(const Napi::CallbackInfo& info) {
  constexpr std::int64_t longest = std::numeric_limits<std::int32_t>::max();
  const Fields spec(info[0]);
  mfac::FisherBlocksOptions options;
  options.dimension = static_cast<std::size_t>(spec.integer("dimension", 1, longest));
  options.block_size =
      static_cast<std::size_t>(spec.optional_integer("blockSize", 1, longest).value_or(0));
  options.damping = spec.number("damping", positive);
  using mfac::GradientStorage;
  options.storage =
      spec.choice<GradientStorage>("storage", {{"auto", GradientStorage::automatic},
                                               {"float32", GradientStorage::float32},
                                               {"bfloat16", GradientStorage::bfloat16},
                                               {"disk", GradientStorage::disk}});
  options.expected =
      static_cast<std::size_t>(spec.optional_integer("expected", 0, longest).value_or(0));
  if (spec.has("directory")) options.directory = spec.string("directory");
  return BlocksHandle::wrap(info.Env(), std::make_shared<BlocksState>(std::move(options)));
}

/// fisherBlocksAdd({ blocks, gradients, rows }) -> whether fisherBlocksFold is due
Napi::Value add(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  BlocksHandle& handle = BlocksHandle::of(spec.value("blocks"));
  const auto state = handle.state();
  const std::size_t rows = index(spec, "rows");
  // Read in place: nothing can detach the buffer before this call returns.
  const ArrayMemory memory = inspect_array(spec.value("gradients"), ElementType<float>::value,
                                           ElementType<float>::name, "gradients", std::nullopt);
  bool due = false;
  {
    const std::lock_guard lock(state->mutex);
    due = state->blocks.add({static_cast<const float*>(memory.data), memory.length}, rows);
  }
  handle.tell(info.Env());
  return Napi::Boolean::New(info.Env(), due);
}

/// fisherBlocksFold({ blocks }) -> {}
class Fold final : public BlocksTask {
 public:
  using BlocksTask::BlocksTask;
  void work(FisherBlocks& blocks, RunControl& control) override { blocks.fold(control); }
};

/// fisherBlocksFactor({ blocks }) -> {}
class Factor final : public BlocksTask {
 public:
  using BlocksTask::BlocksTask;
  void work(FisherBlocks& blocks, RunControl& control) override { blocks.factor(control); }
};

/// fisherBlocksDiagonal({ blocks }) -> { diagonal }
class Diagonal final : public BlocksTask {
 public:
  using BlocksTask::BlocksTask;
  void work(FisherBlocks& blocks, RunControl&) override { diagonal_ = blocks.diagonal(); }
  void write(Napi::Env env, Napi::Object result) override {
    result.Set("diagonal", to_js(env, diagonal_));
  }

 private:
  std::span<const double> diagonal_;
};

/// fisherBlocksElement({ blocks, i, j }) -> { value }
class Element final : public BlocksTask {
 public:
  explicit Element(const Fields& spec)
      : BlocksTask(spec), i_(index(spec, "i")), j_(index(spec, "j")) {}
  void work(FisherBlocks& blocks, RunControl& control) override {
    value_ = blocks.element(i_, j_, control);
  }
  void write(Napi::Env, Napi::Object result) override { result.Set("value", value_); }

 private:
  std::size_t i_, j_;
  double value_ = 0;
};

/// fisherBlocksSolve({ blocks, x, count }) -> { solution }, in the precision of x
class Solve final : public BlocksTask {
 public:
  explicit Solve(const Fields& spec)
      : BlocksTask(spec), x_(spec.real_array("x")), count_(index(spec, "count")) {}

  void work(FisherBlocks& blocks, RunControl& control) override {
    std::visit([&](const auto& x) { solve(blocks, x.view(), control); }, x_);
  }
  void write(Napi::Env env, Napi::Object result) override {
    std::visit([&](const auto& solution) { result.Set("solution", to_js(env, solution)); },
               solution_);
  }
  std::size_t bytes() const override { return 2 * binding::bytes(x_); }

 private:
  template <class Real>
  void solve(FisherBlocks& blocks, std::span<const Real> x, const RunControl& control) {
    std::vector<Real> solution(x.size());
    blocks.solve<Real>(x, count_, solution, control);
    solution_ = std::move(solution);
  }

  RealArray x_;
  std::size_t count_;
  std::variant<std::vector<float>, std::vector<double>> solution_;
};

/// fisherBlocksRemovalUpdate({ blocks, weights, remove, joint }) -> { weights, lossIncrease }
class RemovalUpdate final : public BlocksTask {
 public:
  explicit RemovalUpdate(const Fields& spec)
      : BlocksTask(spec),
        weights_(spec.array<float>("weights")),
        remove_(spec.array<std::uint32_t>("remove")),
        joint_(spec.boolean("joint")) {}

  void work(FisherBlocks& blocks, RunControl& control) override {
    removal_ = mfac::remove_weights(blocks, weights_.view(), remove_.view(), joint_, control);
  }
  void write(Napi::Env env, Napi::Object result) override {
    result.Set("weights", to_js(env, removal_.weights));
    result.Set("lossIncrease", removal_.loss_increase);
  }
  std::size_t bytes() const override { return 2 * weights_.bytes() + remove_.bytes(); }

 private:
  InputArray<float> weights_;
  InputArray<std::uint32_t> remove_;
  bool joint_;
  mfac::Removal removal_;
};

/// fisherBlocksInfo(handle) -> facts; while a job is under way, those from before it
Napi::Value info_of(const Napi::CallbackInfo& info) {
  BlocksHandle& handle = BlocksHandle::of(info[0]);
  const auto state = handle.state();
  handle.tell(info.Env());
  const BlocksFacts& now = handle.facts();
  Napi::Object facts = Napi::Object::New(info.Env());
  facts.Set("dimension", static_cast<double>(state->blocks.dimension()));
  facts.Set("blockSize", static_cast<double>(state->blocks.block_size()));
  facts.Set("damping", state->blocks.damping());
  facts.Set("gradients", static_cast<double>(now.gradients));
  facts.Set("bytes", static_cast<double>(now.bytes));
  facts.Set("diskBytes", static_cast<double>(now.disk_bytes));
  facts.Set("form", now.form == mfac::BlocksForm::direct ? "direct" : "woodbury");
  facts.Set("paged", now.disk_bytes > 0);
  facts.Set("factored", now.factored);
  return facts;
}

/// fisherBlocksDispose(handle)
Napi::Value dispose(const Napi::CallbackInfo& info) {
  BlocksHandle::of(info[0]).dispose(info.Env());
  return info.Env().Undefined();
}

/// pruningMask({ scores, sparsity, layers?, pattern?, frozen? }) -> { remove }
class PruningMask final : public Task {
 public:
  explicit PruningMask(const Fields& spec)
      : scores_(spec.array<double>("scores")),
        layers_(spec.optional_array<std::int32_t>("layers")),
        frozen_(spec.optional_array<std::uint8_t>("frozen")) {
    request_.scores = scores_.view();
    request_.sparsity = spec.number("sparsity", {.low = 0, .high = 1});
    if (layers_) request_.layers = layers_->view();
    if (frozen_) request_.frozen = frozen_->view();
    if (spec.has("pattern")) request_.pattern = read_pattern(spec.value("pattern"));
  }

  void run(RunControl&) override { remove_ = mfac::choose_removed(request_); }
  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("remove", to_js(env, remove_));
    return result;
  }
  std::size_t bytes() const override { return scores_.bytes(); }

 private:
  static mfac::SparsityPattern read_pattern(Napi::Value value) {
    if (!value.IsArray() || value.As<Napi::Array>().Length() != 2) {
      throw wrong("pattern", "[n, m]", value);
    }
    constexpr std::int64_t longest = std::numeric_limits<std::int32_t>::max();
    const Fields entries(value, "pattern");
    return {static_cast<std::size_t>(entries.integer("0", 0, longest)),
            static_cast<std::size_t>(entries.integer("1", 1, longest))};
  }

  InputArray<double> scores_;
  std::optional<InputArray<std::int32_t>> layers_;
  std::optional<InputArray<std::uint8_t>> frozen_;
  mfac::PruningRequest request_;
  std::vector<std::uint32_t> remove_;
};

}  // namespace

void register_fisher_blocks(Napi::Env, Napi::Object exports) {
  export_function<create>(exports, "fisherBlocksCreate");
  export_function<add>(exports, "fisherBlocksAdd");
  export_function<info_of>(exports, "fisherBlocksInfo");
  export_function<dispose>(exports, "fisherBlocksDispose");
  export_job<make<Fold>>(exports, "fisherBlocksFold");
  export_job<make<Factor>>(exports, "fisherBlocksFactor");
  export_job<make<Diagonal>>(exports, "fisherBlocksDiagonal");
  export_job<make<Element>>(exports, "fisherBlocksElement");
  export_job<make<Solve>>(exports, "fisherBlocksSolve");
  export_job<make<RemovalUpdate>>(exports, "fisherBlocksRemovalUpdate");
  export_job<make<PruningMask>>(exports, "pruningMask");
}

}  // namespace secondorder::binding
