// Sketch-and-project as a solver of KKT systems, whatever the sketch.
#pragma once

#include <memory>
#include <string_view>

#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/projection.hpp"

namespace secondorder::newton {

/// `max_steps`: 0 allows some seconds of work, but no more than a million steps.
///
/// The residual is recomputed when the sketched residuals of the last sweep say that it may have
/// reached its target, and now and then besides; only that makes an outcome `reached`.
std::unique_ptr<KktSolver> make_sketch_and_project(std::string_view name,
                                                   std::unique_ptr<Projection> projection,
                                                   std::size_t max_steps, ThreadPool& pool);

}  // namespace secondorder::newton
