// start_job: the life of a job between its two threads.
#include "job.hpp"

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "job_thread.hpp"
#include "marshal.hpp"
#include "progress.hpp"
#include "run_settings.hpp"

namespace secondorder::binding {
namespace {

class Job;

/// The jobs of one environment. All of it happens on that environment's JavaScript thread.
class JobList {
 public:
  Job& add(std::unique_ptr<Job> job);
  void remove(const Job& job);
  /// Cancels all jobs, waits for their threads and drops what they hold of the environment.
  void stop_all();

 private:
  std::vector<std::unique_ptr<Job>> jobs_;
};

/// One job, from start_job to the settling of its promise. The list of its environment owns it.
class Job {
 public:
  Job(Napi::Env env, const RunSettings& settings, std::unique_ptr<Task> task);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job();

  void start();
  void cancel() noexcept { control_->cancel(); }
  void join();
  /// { promise, cancel() }
  Napi::Object handle() const;

  /// The wake-up: JavaScript's turn to look at what the thread has left for it.
  static void look(Napi::Env env, Napi::Function, Job* job, void*);

 private:
  using WakeUp = Napi::TypedThreadSafeFunction<Job, void, &Job::look>;

  void work();                                            // on the job's thread
  void report(std::span<const NamedNumber> figures);      // on the job's thread
  void wake(const std::unique_lock<std::mutex>& locked);  // on the job's thread
  void show_progress();
  void settle();

  Napi::Env env_;
  Napi::Promise::Deferred promise_;
  Napi::FunctionReference on_progress_;
  std::optional<Napi::Error> callback_error_;
  std::unique_ptr<Task> task_;
  std::int64_t held_bytes_;
  std::shared_ptr<RunControl> control_ = std::make_shared<RunControl>();
  std::shared_ptr<JobThread> thread_;
  WakeUp wake_up_;

  std::mutex mutex_;  // guards what follows, which both threads use
  LatestProgress progress_;
  std::exception_ptr failure_;
  bool done_ = false;
  bool waking_ = false;    // a wake-up is on its way
  bool deserted_ = false;  // the environment is closing: nobody listens any more
};

JobList& jobs_of(Napi::Env env) { return *env.GetInstanceData<JobList>(); }

Job& JobList::add(std::unique_ptr<Job> job) {
  jobs_.push_back(std::move(job));
  return *jobs_.back();
}

void JobList::remove(const Job& job) {
  std::erase_if(jobs_, [&job](const auto& candidate) { return candidate.get() == &job; });
}

void JobList::stop_all() {
  for (const auto& job : jobs_) job->cancel();
  for (const auto& job : jobs_) job->join();
  jobs_.clear();
}

Job::Job(Napi::Env env, const RunSettings& settings, std::unique_ptr<Task> task)
    : env_(env),
      promise_(Napi::Promise::Deferred::New(env)),
      task_(std::move(task)),
      held_bytes_(static_cast<std::int64_t>(task_->bytes())),
      progress_(settings.progress_interval) {
  settings.apply_to(*control_);
  if (!settings.on_progress.IsEmpty()) {
    on_progress_ = Napi::Persistent(settings.on_progress);
    control_->on_progress = [this](std::span<const NamedNumber> figures) { report(figures); };
  }
  Napi::MemoryManagement::AdjustExternalMemory(env_, held_bytes_);
}

Job::~Job() { Napi::MemoryManagement::AdjustExternalMemory(env_, -held_bytes_); }

void Job::start() {
  wake_up_ = WakeUp::New(env_, "secondorder.job", 0, 1, this);
  try {
    thread_ = JobThread::start(control_, [this] { work(); });
  } catch (...) {
    wake_up_.Release();
    throw;
  }
}

void Job::join() {
  if (thread_) thread_->join();
}

Napi::Object Job::handle() const {
  Napi::Object handle = Napi::Object::New(env_);
  handle.Set("promise", promise_.Promise());
  // The function may outlive the job, so it holds the control alone.
  handle.Set(
      "cancel",
      Napi::Function::New(
          env_, [control = control_](const Napi::CallbackInfo&) { control->cancel(); }, "cancel"));
  return handle;
}

void Job::work() {
  std::exception_ptr failure;
  try {
    task_->run(*control_);
  } catch (...) {
    failure = std::current_exception();
  }
  std::unique_lock lock(mutex_);
  failure_ = failure;
  done_ = true;
  wake(lock);
  // Once refused, the wake-up has forgotten this thread and must not be touched again.
  if (!deserted_) wake_up_.Release();
}

void Job::report(std::span<const NamedNumber> figures) {
  std::unique_lock lock(mutex_);
  if (progress_.put(figures)) wake(lock);
}

void Job::wake(const std::unique_lock<std::mutex>&) {
  if (waking_ || deserted_) return;
  waking_ = true;
  deserted_ = wake_up_.NonBlockingCall() != napi_ok;
}

void Job::look(Napi::Env env, Napi::Function, Job* job, void*) {
  // Without an environment this is a leftover of a closing one, and the job may be gone.
  if (static_cast<napi_env>(env) == nullptr) return;
  bool done = false;
  {
    const std::lock_guard lock(job->mutex_);
    job->waking_ = false;
    done = job->done_;
  }
  job->show_progress();
  if (!done) return;
  job->join();
  job->settle();
  jobs_of(env).remove(*job);
}

void Job::show_progress() {
  std::optional<std::vector<NamedNumber>> figures;
  {
    const std::lock_guard lock(mutex_);
    figures = progress_.take();
  }
  if (!figures || control_->cancelled()) return;
  try {
    on_progress_.Call({progress_event(env_, *figures)});
  } catch (const Napi::Error& error) {
    callback_error_ = error;
    control_->cancel();
  }
}

void Job::settle() {
  // When the environment is being terminated, every call fails, and there is nobody left to tell.
  try {
    if (callback_error_) return promise_.Reject(callback_error_->Value());
    try {
      if (failure_) std::rethrow_exception(failure_);
      promise_.Resolve(task_->deliver(env_));
    } catch (...) {
      promise_.Reject(convert_exception(env_).Value());
    }
  } catch (const Napi::Error&) {
    return;
  }
}

}  // namespace

Napi::Value start_job(const Napi::CallbackInfo& info, const Napi::Object& run,
                      std::unique_ptr<Task> task) {
  JobList& jobs = jobs_of(info.Env());
  Job& job = jobs.add(std::make_unique<Job>(info.Env(), RunSettings(run), std::move(task)));
  try {
    const Napi::Object handle = job.handle();
    job.start();
    return handle;
  } catch (...) {
    jobs.remove(job);
    throw;
  }
}

void prepare_environment(Napi::Env env) {
  JobThread::stop_all_at_exit();
  auto jobs = std::make_unique<JobList>();
  env.AddCleanupHook([](JobList* list) { list->stop_all(); }, jobs.get());
  env.SetInstanceData(jobs.release());  // deleted with the environment, after the hook
}

}  // namespace secondorder::binding
