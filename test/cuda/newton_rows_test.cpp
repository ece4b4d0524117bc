// Products with K on the GPU and blocks of rows, against sums on the host.
#include <doctest/doctest.h>

#include "base/thread_pool.hpp"
#include "newton/linear/dense_on_cpu.hpp"
#include "newton/linear/spectral_deflation.hpp"
#include "newton_on_device.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

/// V·K on the host, by the columns of K.
std::vector<double> rows_times(const std::vector<double>& v, const std::vector<double>& k,
                               std::size_t order) {
  std::vector<double> out(v.size());
  for (std::size_t i = 0; i * order < v.size(); ++i) {
    for (std::size_t j = 0; j < order; ++j) {
      Wide sum = 0;
      for (std::size_t l = 0; l < order; ++l) sum += Wide(v[i * order + l]) * k[j * order + l];
      out[i * order + j] = static_cast<double>(sum);
    }
  }
  return out;
}

/// What is in a block of rows: each by the product with it that the device does.
std::vector<double> fetched(newton::RowBlocks& rows, ConstView<double> block) {
  std::vector<double> unit(block.cols * block.cols, 0.0), out(block.size());
  for (std::size_t j = 0; j < block.cols; ++j) unit[j * block.cols + j] = 1;
  // The identity lies behind the block.
  const View<double> identity(const_cast<double*>(block.data) + block.size(), block.cols,
                              block.cols);
  rows.upload(unit, identity);
  rows.products(block, identity, {out.data(), block.rows, block.cols});
  return out;
}

}  // namespace

TEST_SUITE("CUDA newton") {
  TEST_CASE("products with vectors and with blocks of rows") {
    Random random(3);
    for (const KktShape shape : kkt_shapes) {
      CAPTURE(shape.variables);
      const auto instance = random_instance(shape, 0.7, random);
      instance->system.delta_w = 0.5;
      instance->system.delta_c = 0.25;
      const std::size_t order = instance->order();
      const std::vector<double> k = instance->matrix();
      const auto plan = newton::SpectralDeflation::plan(std::max<std::size_t>(order / 2, 1));
      const auto products = products_for(*instance, plan);
      products->assemble(instance->system);
      const std::vector<double> v = normals(order, random);
      std::vector<double> out(order), truth(order);
      products->multiply(v, out);
      instance->system.multiply(v, truth);
      CHECK(largest_difference(out, truth) <= 1e-12 * (1 + static_cast<double>(order)));

      if (order == 0) continue;
      newton::RowBlocks& rows = products->rows();
      const std::size_t count = 3;
      REQUIRE(plan.rows >= 2 * count);
      const View<double> all = rows.reserve(plan.rows, order);
      const View<double> from = all.block(0, count), to = all.block(count, count);
      const std::vector<double> block = normals(count * order, random);
      rows.upload(block, from);
      const std::vector<double> expected = rows_times(block, k, order);
      // (V·K)·Vᵀ on the device against the host's
      const auto with_block = [&] {
        std::vector<double> c(count * count);
        rows.products(to, from, {c.data(), count, count});
        return c;
      };
      std::vector<double> wanted(count * count);
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
          for (std::size_t l = 0; l < order; ++l) {
            wanted[i * count + j] += expected[i * order + l] * block[j * order + l];
          }
        }
      }
      const double size = static_cast<double>(order * order) + 1;
      products->multiply_rows(from, to);
      CHECK(largest_difference(with_block(), wanted) <= 1e-12 * size);
      products->multiply_rows_rounded(from, to);
      const double rounded = largest_difference(with_block(), wanted);
      CHECK(rounded <= 1e-5 * size);
      if (order > 60) CHECK(rounded > 0);
      // K changes, and so does its rounded copy
      instance->system.delta_w += 1;
      products->assemble(instance->system);
      products->multiply_rows_rounded(from, to);
      CHECK(largest_difference(with_block(), wanted) > 1e-2);
    }
  }

  TEST_CASE("blocks of rows: orthonormal bases, projections and corrections") {
    Random random(4);
    const auto instance = dense_instance(50, 11, random);
    const std::size_t order = 61;
    const newton::RowBlockPlan plan{.rows = 160, .widest = 20, .core = order};
    const auto products = products_for(*instance, plan);
    newton::RowBlocks& on_gpu = products->rows();
    ThreadPool pool(1);
    newton::CpuRowBlocks on_cpu(pool);
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{17}}) {
      CAPTURE(count);
      const std::vector<double> block = normals(count * order, random);
      const std::vector<double> other = normals(5 * order, random);
      const std::vector<double> core = normals(count * count, random), r = normals(order, random);
      struct Outcome {
        std::vector<double> triangle, basis, coefficients, projected, corrected;
      };
      const auto run = [&](newton::RowBlocks& rows) {
        Outcome o{std::vector<double>(count * count),
                  {},
                  std::vector<double>(5 * count),
                  {},
                  std::vector<double>(order)};
        const View<double> all = rows.reserve(plan.rows, order);
        const View<double> q = all.block(0, count), copied = all.block(80, count);
        rows.upload(block, copied);
        rows.copy(copied, q);
        CHECK(rows.orthonormalize(q, {o.triangle.data(), count, count}));
        o.basis = fetched(rows, q);
        rows.upload(block, copied);
        const View<double> y = all.block(100, 5);
        rows.upload(other, y);
        rows.upload(o.basis, q);
        rows.project_out(y, q, {o.coefficients.data(), 5, count});
        o.projected.resize(5 * count);
        rows.products(y, q, {o.projected.data(), 5, count});
        rows.set_core({core.data(), count, count});
        rows.correct(q, r, o.corrected);
        return o;
      };
      const Outcome gpu = run(on_gpu), cpu = run(on_cpu);
      // Q·Qᵀ = I and R·Q is the block; R has no sign of its own, Q follows it
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
          double product = 0;
          for (std::size_t l = 0; l < order; ++l) {
            product += gpu.basis[i * order + l] * gpu.basis[j * order + l];
          }
          CHECK(product == doctest::Approx(i == j ? 1.0 : 0.0).epsilon(1e-12));
          if (j > i) CHECK(gpu.triangle[i * count + j] == 0);
        }
        for (std::size_t l = 0; l < order; ++l) {
          double sum = 0;
          for (std::size_t j = 0; j <= i; ++j) {
            sum += gpu.triangle[i * count + j] * gpu.basis[j * order + l];
          }
          CHECK(sum == doctest::Approx(block[i * order + l]).epsilon(1e-10));
        }
      }
      for (const double value : gpu.projected) CHECK(std::abs(value) <= 1e-12);
      // Signs of Q's rows aside both are the same.
      for (std::size_t i = 0; i < gpu.coefficients.size(); ++i) {
        CHECK(std::abs(gpu.coefficients[i]) ==
              doctest::Approx(std::abs(cpu.coefficients[i])).epsilon(1e-9));
      }
      std::vector<double> expected = r, coordinates(count);
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t l = 0; l < order; ++l) coordinates[i] += gpu.basis[i * order + l] * r[l];
      }
      for (std::size_t i = 0; i < count; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < count; ++j) sum += core[i * count + j] * coordinates[j];
        for (std::size_t l = 0; l < order; ++l) expected[l] += sum * gpu.basis[i * order + l];
      }
      CHECK(largest_difference(gpu.corrected, expected) <= 1e-12 * 50);
    }
  }
}
