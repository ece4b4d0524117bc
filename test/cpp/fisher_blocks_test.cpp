// Fisher blocks against the dense definition, in more than double precision.
#include <doctest/doctest.h>

#include "fisher_cases.hpp"

using namespace secondorder;
using namespace secondorder::mfac;
using namespace secondorder::test;

TEST_SUITE("fisher blocks") {
  TEST_CASE("diagonal, elements and products against the dense inverse") {
    Random random(11);
    for (const char* kind : kinds) {
      for (const double scale : {1e-4, 1.0, 30.0, 1e4}) {
        for (const Shape& s : shapes) {
          CAPTURE(kind);
          CAPTURE(scale);
          CAPTURE(s.rows);
          CAPTURE(s.dimension);
          CAPTURE(s.block);
          const double damping = 1e-6;
          const std::vector<float> g = make_gradients(kind, s, scale, random);
          const auto blocks = factored(s, g, damping);
          CHECK(blocks->form() == (s.block <= s.rows ? BlocksForm::direct : BlocksForm::woodbury));
          const Errors errors = compare(*blocks, s, g, damping, random);
          // What float64 can give: the condition of the gradients themselves, ‖G‖/√(mλ).
          const double bar = scale > 100 ? 3e-8 : 1e-10;
          CHECK(errors.positive);
          CHECK(errors.diagonal <= bar);
          CHECK(errors.element <= bar);
          CHECK(errors.solve <= bar);
        }
      }
    }
  }

  TEST_CASE("elements between blocks are 0, and any order of asking gives the same") {
    Random random(3);
    for (const Shape& s : {Shape{10, 24, 8}, Shape{5, 24, 8}}) {
      const auto g = make_gradients("normal", s, 1, random);
      const auto blocks = factored(s, g, 1e-3);
      CHECK(blocks->element(0, 8, two_threads()) == 0);
      CHECK(blocks->element(23, 7, two_threads()) == 0);
      for (std::size_t i = 8; i < 16; ++i) {
        CHECK(blocks->element(i, i, two_threads()) == blocks->diagonal()[i]);
        for (std::size_t j = 8; j < 16; ++j) {
          CHECK(blocks->element(i, j, two_threads()) ==
                doctest::Approx(blocks->element(j, i, two_threads())).epsilon(1e-11));
        }
      }
    }
  }

  TEST_CASE("several right-hand sides, in either precision") {
    Random random(4);
    for (const Shape& s : {Shape{30, 50, 16}, Shape{12, 50, 16}, Shape{9, 50, 50}}) {
      const auto g = make_gradients("normal", s, 2, random);
      const auto blocks = factored(s, g, 1e-2);
      constexpr std::size_t count = 5;
      std::vector<double> x(count * s.dimension), all(x.size()), one(s.dimension);
      for (double& value : x) value = random.normal();
      blocks->solve<double>(x, count, all, two_threads());
      for (std::size_t k = 0; k < count; ++k) {
        const auto row = std::span<const double>(x).subspan(k * s.dimension, s.dimension);
        blocks->solve<double>(row, 1, one, two_threads());
        for (std::size_t i = 0; i < s.dimension; ++i) {
          CHECK(all[k * s.dimension + i] == doctest::Approx(one[i]).epsilon(1e-11));
        }
      }
      const std::vector<float> narrow(x.begin(), x.end());
      std::vector<float> out(x.size());
      blocks->solve<float>(narrow, count, out, two_threads());
      for (std::size_t i = 0; i < x.size(); ++i) {
        CHECK(std::abs(out[i] - all[i]) <= 1e-5 * (1 + std::abs(all[i])));
      }
      CHECK(code_of([&] { blocks->solve<float>(narrow, count + 1, out, two_threads()); }) ==
            ErrorCode::dimension_mismatch);
    }
  }

  TEST_CASE("products with gradients themselves do not cancel") {
    Random random(8);
    for (const Shape& s : {Shape{24, 80, 80}, Shape{90, 80, 80}}) {
      const auto g = make_gradients("normal", s, 100, random);
      const double damping = 1e-5;
      const auto blocks = factored(s, g, damping);
      std::vector<double> x(g.begin(), g.begin() + 80), y(80);
      blocks->solve<double>(x, 1, y, two_threads());
      const ExactMatrix h = ExactMatrix::fisher(g, 80, 0, 80, damping);
      const std::vector<Exact> want = h.inverse().times({x.begin(), x.end()});
      // The condition of H is 3e9 where gradients span few directions.
      CHECK(relative(std::span<const double>(y), want) <= 1e-6);
    }
  }

  TEST_CASE("the same bits for any number of threads, added in any portions") {
    Random random(5);
    for (const Shape& s :
         {Shape{70, 200, 16}, Shape{12, 200, 16}, Shape{30, 700, 700}, Shape{130, 100, 100}}) {
      const auto g = make_gradients("normal", s, 1, random);
      std::vector<std::vector<double>> diagonals, solutions;
      for (const int threads : {1, 2, 5}) {
        RunControl control;
        control.threads = threads;
        FisherBlocks blocks(options(s, 1e-4));
        for (std::size_t row = 0; row < s.rows;) {
          const std::size_t count = std::min<std::size_t>(threads * 3, s.rows - row);
          blocks.add(std::span(g).subspan(row * s.dimension, count * s.dimension), count);
          row += count;
        }
        blocks.factor(control);
        diagonals.emplace_back(blocks.diagonal().begin(), blocks.diagonal().end());
        std::vector<double> x(s.dimension, 1.0), y(s.dimension);
        blocks.solve<double>(x, 1, y, control);
        solutions.push_back(y);
      }
      for (std::size_t i = 1; i < 3; ++i) {
        CHECK(identical(diagonals[i], diagonals[0]));
        CHECK(identical(solutions[i], solutions[0]));
      }
    }
  }

  TEST_CASE("bfloat16 is exact for the rounded gradients, disk for the gradients") {
    Random random(9);
    for (const Shape& s : {Shape{40, 90, 64}, Shape{64, 70, 32}}) {
      const auto g = make_gradients("normal", s, 30, random);
      std::vector<float> rounded;
      for (const float value : g) rounded.push_back(from_bfloat16(to_bfloat16(value)));
      const auto halves = factored(s, g, 1e-6, GradientStorage::bfloat16);
      CHECK(compare(*halves, s, rounded, 1e-6, random).diagonal <= 1e-10);
      const auto memory = factored(s, g, 1e-6, GradientStorage::float32);
      const auto disk = factored(s, g, 1e-6, GradientStorage::disk);
      CHECK(identical<double>({disk->diagonal().begin(), disk->diagonal().end()},
                              {memory->diagonal().begin(), memory->diagonal().end()}));
      const bool gradients_stay = s.block > s.rows;
      CHECK(disk->paged() == gradients_stay);
      CHECK_FALSE(memory->paged());
      if (gradients_stay) {
        CHECK(disk->bytes() < memory->bytes());
        CHECK(halves->bytes() < memory->bytes());
      }
    }
  }
}
