#include "fisher_window.hpp"

#include <limits>
#include <optional>

#include "base/memory_facts.hpp"
#include "device.hpp"
#include "handle.hpp"
#include "mfac/fisher_window.hpp"
#include "mfac/window_placement.hpp"

namespace secondorder::binding {

using mfac::FisherWindow;
using mfac::rows_on;

namespace {

struct WindowFacts {
  std::size_t size = 0, bytes = 0;
  double damping = 0;
  bool pending = false;
};

}  // namespace

template <>
struct HandleTraits<FisherWindow> {
  static constexpr const char* argument = "window";
  static constexpr const char* what = "a Fisher window";
  static constexpr napi_type_tag tag = {0x5ec0d0f15e4b10c5, 0x3d2a1f60c4b7e981};
  using Facts = WindowFacts;
  static Facts facts(const FisherWindow& window) {
    return {window.size(), window.bytes(), window.damping(), window.pending()};
  }
};

namespace {

using WindowHandle = Handle<FisherWindow>;
using WindowTask = HandleTask<FisherWindow>;

HostVector host_vector(const RealArray& array, std::size_t first, std::size_t count) {
  return std::visit(
      [&](const auto& values) -> HostVector { return values.view().subspan(first, count); }, array);
}

HostVector host_vector(const RealArray& array) {
  return host_vector(array, 0, binding::size(array));
}

const mfac::FisherWindowOptions& options_of(const Fields& spec) {
  return WindowHandle::of(spec).state()->object->options();
}

/// Room for `count` vectors of the window's dimension.
OutputFloats output(const Fields& spec, std::size_t count) {
  const std::size_t dimension = options_of(spec).dimension;
  const double need = 4.0 * static_cast<double>(count) * static_cast<double>(dimension);
  if (need > static_cast<double>(available_memory())) {
    throw Error(ErrorCode::out_of_memory,
                "The solution needs " + std::to_string(need / 1e6) + " MB, more than is available");
  }
  return {spec, count * dimension};
}

/// fisherWindowCreate({ dimension, capacity, damping, storage, normalize, mask?, device }) ->
/// handle
Napi::Value create(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  mfac::FisherWindowOptions options;
  options.dimension = static_cast<std::size_t>(spec.integer("dimension", 1));
  options.capacity = static_cast<std::size_t>(spec.integer("capacity", 1));
  options.damping = spec.number("damping", positive);
  options.storage = spec.choice<Storage>("storage");
  options.normalize = spec.choice<mfac::Normalize>("normalize");
  if (const auto mask = spec.optional_array<std::uint8_t>("mask", options.dimension)) {
    options.active = mfac::active_positions(mask->view());
  }
  DeviceChoice chosen;
  auto window =
      std::make_unique<FisherWindow>(std::move(options), rows_on(read_device(spec), chosen));
  window->set_device(std::move(chosen));
  return WindowHandle::wrap(info.Env(), std::move(window));
}

/// fisherWindowInfo(handle) -> facts; while a job is under way, those from before it
Napi::Value info_of(const Napi::CallbackInfo& info) {
  WindowHandle& handle = WindowHandle::of(info[0]);
  const auto state = handle.state();
  handle.tell(info.Env());
  const WindowFacts& now = handle.facts();
  const mfac::FisherWindowOptions& options = state->object->options();
  Napi::Object facts = Napi::Object::New(info.Env());
  facts.Set("dimension", static_cast<double>(options.dimension));
  facts.Set("capacity", static_cast<double>(options.capacity));
  facts.Set("active", static_cast<double>(state->object->columns()));
  facts.Set("size", static_cast<double>(now.size));
  facts.Set("damping", now.damping);
  facts.Set("storage", name(options.storage));
  facts.Set("normalize", name(options.normalize));
  facts.Set("bytes", static_cast<double>(now.bytes));
  facts.Set("pending", now.pending);
  facts.Set("device", state->object->device().name());
  facts.Set("deviceReason", state->object->device().reason);
  return facts;
}

/// fisherWindowDispose(handle)
Napi::Value dispose(const Napi::CallbackInfo& info) {
  WindowHandle::of(info[0]).dispose(info.Env());
  return info.Env().Undefined();
}

/// fisherWindowClear(handle)
Napi::Value clear(const Napi::CallbackInfo& info) {
  WindowHandle::of(info[0]).use(info.Env(), [](FisherWindow& window) { window.clear(); });
  return info.Env().Undefined();
}

/// fisherWindowDiscardSlices(handle)
Napi::Value discard_slices(const Napi::CallbackInfo& info) {
  WindowHandle::of(info[0]).use(info.Env(), [](FisherWindow& window) { window.discard_slices(); });
  return info.Env().Undefined();
}

/// fisherWindowPushSlice({ window, offset, part })
Napi::Value push_slice(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  const auto offset = static_cast<std::size_t>(spec.integer("offset"));
  const RealArray part = spec.real_array("part");
  WindowHandle::of(spec).use(
      info.Env(), [&](FisherWindow& window) { window.push_slice(offset, host_vector(part)); });
  return info.Env().Undefined();
}

/// A job that may be asked for the solution that belongs to a gradient.
class SolvedTask : public WindowTask {
 public:
  explicit SolvedTask(const Fields& spec) : WindowTask(spec) {
    if (spec.boolean("solve")) solution_.emplace(output(spec, 1));
  }
  void write(Napi::Env env, Napi::Object result) override {
    result.Set("solution", solution_ ? solution_->deliver() : env.Null());
  }

 protected:
  std::span<float> solution() const { return solution_ ? solution_->view() : std::span<float>(); }

 private:
  std::optional<OutputFloats> solution_;
};

/// fisherWindowPush({ window, gradient, solve, out? }, run) -> { solution }
class Push final : public SolvedTask {
 public:
  explicit Push(const Fields& spec)
      : SolvedTask(spec), gradient_(spec.real_array("gradient", options_of(spec).dimension)) {}
  void work(FisherWindow& window, RunControl& control) override {
    window.push(host_vector(gradient_), solution(), control);
  }
  std::size_t bytes() const override { return binding::bytes(gradient_); }

 private:
  RealArray gradient_;
};

/// fisherWindowCommit({ window, solve, out? }, run) -> { solution }
class Commit final : public SolvedTask {
 public:
  using SolvedTask::SolvedTask;
  void work(FisherWindow& window, RunControl& control) override {
    window.commit(solution(), control);
  }
};

/// fisherWindowSolve({ window, x, count, out? }, run) -> { solution }
class Solve final : public WindowTask {
 public:
  explicit Solve(const Fields& spec)
      : WindowTask(spec),
        count_(static_cast<std::size_t>(
            spec.integer("count", 0, std::numeric_limits<std::int32_t>::max()))),
        dimension_(options_of(spec).dimension),
        x_(spec.real_array("x", count_ * dimension_)),
        solution_(output(spec, count_)) {}
  void work(FisherWindow& window, RunControl& control) override {
    std::vector<HostVector> vectors;
    for (std::size_t v = 0; v < count_; ++v) {
      vectors.push_back(host_vector(x_, v * dimension_, dimension_));
    }
    window.solve(vectors, solution_.view(), control);
  }
  void write(Napi::Env, Napi::Object result) override {
    result.Set("solution", solution_.deliver());
  }
  std::size_t bytes() const override { return binding::bytes(x_); }

 private:
  std::size_t count_, dimension_;
  RealArray x_;
  OutputFloats solution_;
};

/// fisherWindowSetDamping({ window, damping }, run) -> {}
class SetDamping final : public WindowTask {
 public:
  explicit SetDamping(const Fields& spec)
      : WindowTask(spec), damping_(spec.number("damping", positive)) {}
  void work(FisherWindow& window, RunControl&) override { window.set_damping(damping_); }

 private:
  double damping_;
};

/// fisherWindowSave({ window, path }, run) -> {}
class Save final : public WindowTask {
 public:
  explicit Save(const Fields& spec) : WindowTask(spec), path_(spec.string("path")) {}
  void work(FisherWindow& window, RunControl& control) override { window.save(path_, control); }

 private:
  std::string path_;
};

/// fisherWindowLoad({ path, device }, run) -> { window }
class Load final : public Task {
 public:
  explicit Load(const Fields& spec) : path_(spec.string("path")), device_(read_device(spec)) {}
  void run(RunControl& control) override {
    DeviceChoice chosen;
    run_stoppable(control,
                  [&] { window_ = FisherWindow::load(path_, control, rows_on(device_, chosen)); });
    window_->set_device(std::move(chosen));
  }
  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("window", WindowHandle::wrap(env, std::move(window_)));
    return result;
  }

 private:
  std::string path_;
  DeviceRequest device_;
  std::unique_ptr<FisherWindow> window_;
};

}  // namespace

void register_fisher_window(Napi::Env, Napi::Object exports) {
  export_function<create>(exports, "fisherWindowCreate");
  export_function<info_of>(exports, "fisherWindowInfo");
  export_function<dispose>(exports, "fisherWindowDispose");
  export_function<clear>(exports, "fisherWindowClear");
  export_function<push_slice>(exports, "fisherWindowPushSlice");
  export_function<discard_slices>(exports, "fisherWindowDiscardSlices");
  export_job<make<Push>, Inputs::in_place>(exports, "fisherWindowPush");
  export_job<make<Commit>, Inputs::in_place>(exports, "fisherWindowCommit");
  export_job<make<Solve>, Inputs::in_place>(exports, "fisherWindowSolve");
  export_job<make<SetDamping>>(exports, "fisherWindowSetDamping");
  export_job<make<Save>>(exports, "fisherWindowSave");
  export_job<make<Load>>(exports, "fisherWindowLoad");
}

}  // namespace secondorder::binding
