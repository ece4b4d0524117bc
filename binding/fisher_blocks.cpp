#include "fisher_blocks.hpp"

#include <limits>

#include "base/error.hpp"
#include "handle.hpp"
#include "mfac/fisher_blocks.hpp"
#include "mfac/pruning_mask.hpp"
#include "mfac/removal.hpp"

namespace secondorder::binding {

using mfac::FisherBlocks;

namespace {

struct BlocksFacts {
  std::size_t gradients = 0, bytes = 0, disk_bytes = 0;
  mfac::BlocksForm form = mfac::BlocksForm::direct;
  bool factored = false;
};

}  // namespace

template <>
struct HandleTraits<FisherBlocks> {
  static constexpr const char* argument = "blocks";
  static constexpr const char* what = "Fisher blocks";
  static constexpr napi_type_tag tag = {0x5ec0d0f15e4b10c5, 0x9a11d1a60e1a11d2};
  using Facts = BlocksFacts;
  static Facts facts(const FisherBlocks& blocks) {
    return {blocks.gradients(), blocks.bytes(), blocks.disk_bytes(), blocks.form(),
            blocks.factored()};
  }
};

namespace {

using BlocksHandle = Handle<FisherBlocks>;
using BlocksTask = HandleTask<FisherBlocks>;

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
  options.storage = spec.choice<mfac::GradientStorage>("storage");
  options.expected =
      static_cast<std::size_t>(spec.optional_integer("expected", 0, longest).value_or(0));
  if (spec.has("directory")) options.directory = spec.string("directory");
  return BlocksHandle::wrap(info.Env(), std::make_unique<FisherBlocks>(std::move(options)));
}

/// fisherBlocksAdd({ blocks, gradients, rows }) -> whether fisherBlocksFold is due
Napi::Value add(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  const std::size_t rows = index(spec, "rows");
  // Read in place: nothing can detach the buffer before this call returns.
  const ArrayMemory memory = inspect_array(spec.value("gradients"), ElementType<float>::value,
                                           ElementType<float>::name, "gradients", std::nullopt);
  const std::span<const float> gradients(static_cast<const float*>(memory.data), memory.length);
  bool due = false;
  BlocksHandle::of(spec).use(info.Env(),
                             [&](FisherBlocks& blocks) { due = blocks.add(gradients, rows); });
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
  facts.Set("dimension", static_cast<double>(state->object->dimension()));
  facts.Set("blockSize", static_cast<double>(state->object->block_size()));
  facts.Set("damping", state->object->damping());
  facts.Set("gradients", static_cast<double>(now.gradients));
  facts.Set("bytes", static_cast<double>(now.bytes));
  facts.Set("diskBytes", static_cast<double>(now.disk_bytes));
  facts.Set("form", name(now.form));
  facts.Set("paged", now.disk_bytes > 0);
  facts.Set("factored", now.factored);
  return facts;
}

/// fisherBlocksDispose(handle)
Napi::Value dispose(const Napi::CallbackInfo& info) {
  BlocksHandle::of(info[0]).dispose(info.Env());
  return info.Env().Undefined();
}

/// pruningMask({ scores, sparsity, layers?, pattern?, frozen?, prunable? }) -> { remove }
class PruningMask final : public Task {
 public:
  explicit PruningMask(const Fields& spec)
      : scores_(spec.array<double>("scores")),
        layers_(spec.optional_array<std::int32_t>("layers")),
        frozen_(spec.optional_array<std::uint8_t>("frozen")),
        prunable_(spec.optional_array<std::uint8_t>("prunable")) {
    request_.scores = scores_.view();
    request_.sparsity = spec.number("sparsity", {.low = 0, .high = 1});
    if (layers_) request_.layers = layers_->view();
    if (frozen_) request_.frozen = frozen_->view();
    if (prunable_) request_.prunable = prunable_->view();
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
  std::optional<InputArray<std::uint8_t>> frozen_, prunable_;
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
