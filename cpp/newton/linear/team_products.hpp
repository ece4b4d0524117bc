// Dense products on a team of threads: tiles of single-threaded BLAS, cut by shape alone.
#pragma once

#include <span>

#include "algebra/algebra.hpp"
#include "algebra/view.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::newton {

/// C = alpha·op(A)·op(B) + beta·C
void multiply(ThreadPool& pool, double alpha, ConstView<double> a, Transpose op_a,
              ConstView<double> b, Transpose op_b, double beta, View<double> c);
void multiply(ThreadPool& pool, float alpha, ConstView<float> a, Transpose op_a, ConstView<float> b,
              Transpose op_b, float beta, View<float> c);

/// The lower triangle of C = A·Aᵀ.
void gram(ThreadPool& pool, ConstView<double> a, View<double> c);

/// The lower triangle of C += Aᵀ·A.
void add_inner_gram(ThreadPool& pool, ConstView<double> a, View<double> c);

/// out = A·x
void multiply(ThreadPool& pool, ConstView<double> a, std::span<const double> x,
              std::span<double> out);

/// out = alpha·Aᵀ·y + beta·out
void multiply_transposed(ThreadPool& pool, double alpha, ConstView<double> a,
                         std::span<const double> y, double beta, std::span<double> out);

/// Runs body(task) on the team where the work is worth waking it, else here.
void for_tasks(ThreadPool& pool, std::size_t tasks, double operations,
               FunctionRef<void(std::size_t task)> body);

}  // namespace secondorder::newton
