// The fast Walsh–Hadamard transform.
#pragma once

#include "algebra/view.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::newton {

/// A ← H·A in place, with the orthonormal Hadamard matrix H of order a.rows, a power of 2.
void hadamard_columns(ThreadPool& pool, View<double> a);

}  // namespace secondorder::newton
