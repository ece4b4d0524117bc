// Native work as JavaScript sees it: in the background, as a promise that can be cancelled, or on
// the calling thread.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <string>

#include "base/run_control.hpp"
#include "base/thread_pool.hpp"
#include "marshal.hpp"

namespace secondorder::binding {

/// A piece of work with its inputs and, once it has run, its result. Created, delivered and
/// destroyed on the JavaScript thread.
class Task {
 public:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;

  /// Does the work, away from the JavaScript thread: no Napi value may be touched. Returns soon
  /// after `control` is cancelled, with the best there is, and calls `control.report` on this
  /// thread alone, while no other thread of the task computes: under run_sync, onProgress may end
  /// the process, whose destructors must not meet a computing thread. May throw secondorder::Error
  /// and anything derived from std::exception.
  virtual void run(RunControl& control) = 0;

  /// The result; called once, after run.
  virtual Napi::Value deliver(Napi::Env env) = 0;

  /// Native memory held from start to end, told to the garbage collector.
  virtual std::size_t bytes() const { return 0; }
};

/// For a task that has nothing to give when it is cancelled: runs `work`, and throws ERR_ABORTED
/// where a thread pool cancelled it.
template <class Work>
void run_stoppable(const RunControl& control, const Work& work) {
  try {
    work();
  } catch (const Cancelled&) {
    throw Error(ErrorCode::aborted, control.cancelled() ? "the operation was aborted"
                                                        : "the operation's time limit was reached");
  }
}

/// Starts the task on a thread of its own and returns { promise, cancel() }.
///
/// `run` may hold threads, timeLimit (s), onProgress and progressInterval (ms, default 50).
/// onProgress gets the latest report, at most once an interval, and the last one before the promise
/// settles unless the job was cancelled; when it throws, the job is stopped and the promise rejects
/// with what it threw. The job keeps the event loop alive.
Napi::Value start_job(const Napi::CallbackInfo& info, const Napi::Object& run,
                      std::unique_ptr<Task> task);

/// Runs the task here and returns its result, or throws. onProgress is called directly; when it
/// returns false, the task is cancelled.
Napi::Value run_sync(const Napi::CallbackInfo& info, const Napi::Object& run,
                     std::unique_ptr<Task> task);

/// A task of the type `Job`, which reads the spec.
template <class Job>
std::unique_ptr<Task> make(const Fields& spec) {
  return std::make_unique<Job>(spec);
}

/// The two forms of a native function of (spec, run). `sync_inputs` is in_place only for tasks that
/// report no progress: JavaScript could otherwise detach an array in the midst of the work.
template <std::unique_ptr<Task> (*make_task)(const Fields& spec), Inputs sync_inputs>
struct JobForms {
  static Napi::Value start(const Napi::CallbackInfo& info) {
    return start_job(info, Fields(info[1], "run").object(), make_task(Fields(info[0])));
  }
  static Napi::Value sync(const Napi::CallbackInfo& info) {
    return run_sync(info, Fields(info[1], "run").object(),
                    make_task(Fields(info[0], {}, sync_inputs)));
  }
};

/// Exports `name`, a job, and `nameSync`, its twin on the calling thread, as in
/// `export_job<make<Solve>>(exports, "solve")`.
template <std::unique_ptr<Task> (*make_task)(const Fields& spec),
          Inputs sync_inputs = Inputs::copied>
void export_job(Napi::Object exports, const std::string& name) {
  export_function<JobForms<make_task, sync_inputs>::start>(exports, name.c_str());
  export_function<JobForms<make_task, sync_inputs>::sync>(exports, (name + "Sync").c_str());
}

/// Prepares an environment (the main thread or a worker) for jobs; called when the addon loads
/// there.
void prepare_environment(Napi::Env env);

}  // namespace secondorder::binding
