// Handles of Fisher blocks: objects of JavaScript that own native memory.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "marshal.hpp"
#include "mfac/fisher_blocks.hpp"

namespace secondorder::binding {

/// The native side of a handle. Work that is under way keeps it alive past the handle's end; the
/// mutex keeps calls on one object apart.
struct BlocksState {
  explicit BlocksState(mfac::FisherBlocksOptions options) : blocks(std::move(options)) {}
  std::mutex mutex;
  mfac::FisherBlocks blocks;
};

/// What changes about blocks as work goes on.
struct BlocksFacts {
  std::size_t gradients = 0, bytes = 0, disk_bytes = 0;
  mfac::BlocksForm form = mfac::BlocksForm::direct;
  bool factored = false;
};

/// What a handle object wraps; lives on the JavaScript thread.
class BlocksHandle {
 public:
  explicit BlocksHandle(std::shared_ptr<BlocksState> state) : state_(std::move(state)) {}

  static Napi::Value wrap(Napi::Env env, std::shared_ptr<BlocksState> state) {
    const Napi::Object object = Napi::Object::New(env);
    auto handle = std::make_unique<BlocksHandle>(std::move(state));
    const napi_status status = napi_wrap(env, object, handle.get(), finalize, nullptr, nullptr);
    if (status != napi_ok) throw Napi::Error::New(env);
    handle->tell(env);
    handle.release();  // NOLINT(bugprone-unused-return-value): the object owns it from here on
    object.TypeTag(&tag);
    return object;
  }

  static BlocksHandle& of(Napi::Value value) {
    void* data = nullptr;
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag) ||
        napi_unwrap(value.Env(), value, &data) != napi_ok) {
      throw wrong("blocks", "Fisher blocks", value);
    }
    return *static_cast<BlocksHandle*>(data);
  }

  std::shared_ptr<BlocksState> state() const {
    if (state_) return state_;
    throw Error(ErrorCode::disposed, "the Fisher blocks were disposed of", "blocks");
  }

  void dispose(Napi::Env env) {
    state_.reset();
    tell(env);
  }

  /// Looks at the blocks, unless a job is at work on them, and tells the garbage collector what
  /// they hold.
  void tell(Napi::Env env) {
    if (!state_) {
      facts_ = {};
    } else if (const std::unique_lock lock(state_->mutex, std::try_to_lock); lock.owns_lock()) {
      const mfac::FisherBlocks& blocks = state_->blocks;
      facts_ = {blocks.gradients(), blocks.bytes(), blocks.disk_bytes(), blocks.form(),
                blocks.factored()};
    }
    const auto bytes = static_cast<std::int64_t>(facts_.bytes);
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes - told_);
    told_ = bytes;
  }
  /// As they were when last looked at.
  const BlocksFacts& facts() const { return facts_; }

 private:
  static void finalize(napi_env env, void* data, void*) {
    const std::unique_ptr<BlocksHandle> handle(static_cast<BlocksHandle*>(data));
    handle->dispose(Napi::Env(env));
  }

  static constexpr napi_type_tag tag = {0x5ec0d0f15e4b10c5, 0x9a11d1a60e1a11d2};
  std::shared_ptr<BlocksState> state_;
  BlocksFacts facts_;
  std::int64_t told_ = 0;
};

}  // namespace secondorder::binding
