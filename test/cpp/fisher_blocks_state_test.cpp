// Fisher blocks over time: gradients that come and are folded in, memory, bad input, cancellation.
#include <doctest/doctest.h>

#include "fisher_cases.hpp"

using namespace secondorder;
using namespace secondorder::mfac;
using namespace secondorder::test;

TEST_SUITE("fisher blocks over time") {
  TEST_CASE("folding takes the gradients in, and they are no longer held") {
    Random random(6);
    for (const char* kind : kinds) {
      const Shape s{500, 30, 12};
      const auto g = make_gradients(kind, s, 30, random);
      FisherBlocks blocks(options(s, 1e-6));
      std::size_t most = 0, folds = 0;
      for (std::size_t row = 0; row < s.rows; row += 10) {
        if (blocks.add(std::span(g).subspan(row * s.dimension, 10 * s.dimension), 10)) {
          blocks.fold(two_threads());
          ++folds;
        }
        most = std::max(most, blocks.bytes());
      }
      CHECK(folds == 500 / 70);
      CHECK(most < s.rows * s.dimension * sizeof(float));
      blocks.factor(two_threads());
      CHECK(blocks.gradients() == 500);
      const Errors errors = compare(blocks, s, g, 1e-6, random);
      CAPTURE(kind);
      CHECK(errors.positive);
      CHECK(errors.diagonal <= 1e-10);
      CHECK(errors.solve <= 1e-10);
    }
  }

  TEST_CASE("who never folds gets it done before memory runs out") {
    Random random(7);
    const Shape s{2000, 6, 3};
    const auto g = make_gradients("normal", s, 1, random);
    FisherBlocks blocks(options(s, 1e-3));
    for (std::size_t row = 0; row < s.rows; row += 50) {
      blocks.add(std::span(g).subspan(row * 6, 300), 50);
    }
    CHECK(blocks.bytes() < s.rows * s.dimension * sizeof(float) / 4);
    blocks.factor(two_threads());
    CHECK(compare(blocks, s, g, 1e-3, random).diagonal <= 1e-12);
  }

  TEST_CASE("bytes: the direct form holds half a float64 block, the other G and its factor") {
    Random random(10);
    const Shape direct{256, 512, 64}, woodbury{32, 4096, 1024};
    const auto d = factored(direct, make_gradients("normal", direct, 1, random), 1e-3);
    const std::size_t triangle = 64 * 65 / 2 * sizeof(double);
    CHECK(d->bytes() >= 8 * triangle + 512 * sizeof(double));
    CHECK(d->bytes() <= 1.02 * (8 * triangle + 512 * sizeof(double)));
    const auto w = factored(woodbury, make_gradients("normal", woodbury, 1, random), 1e-3);
    const std::size_t held =
        32 * 4096 * sizeof(float) + 4 * (32 * 33 / 2) * sizeof(double) + 4096 * sizeof(double);
    CHECK(w->bytes() >= held);
    CHECK(w->bytes() <= 1.02 * static_cast<double>(held));
  }

  TEST_CASE("an expected number that fits nowhere is refused at once") {
    FisherBlocksOptions o = options({1, std::size_t{1} << 30, std::size_t{1} << 30}, 1e-3);
    o.expected = 1 << 20;
    for (const GradientStorage storage : {GradientStorage::automatic, GradientStorage::float32,
                                          GradientStorage::bfloat16, GradientStorage::disk}) {
      o.storage = storage;
      try {
        const FisherBlocks blocks(o);
        FAIL("4 PiB of gradients were promised a place");
      } catch (const Error& error) {
        CHECK(error.code == ErrorCode::out_of_memory);
        CHECK(std::string(error.what()).find("bytes of memory") != std::string::npos);
      }
    }
    // Direct blocks hold few gradients, but their factors are too large here.
    o.storage = GradientStorage::automatic;
    o.block_size = 1 << 19;
    CHECK(code_of([&] { const FisherBlocks blocks(o); }) == ErrorCode::out_of_memory);
  }

  TEST_CASE("bad input is refused, and changes nothing") {
    CHECK(code_of([] {
            const FisherBlocks b(options({1, 0, 1}, 1));
          }) == ErrorCode::invalid_argument);
    for (const double damping : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
      CHECK(code_of([&] {
              const FisherBlocks b(options({1, 4, 2}, damping));
            }) == ErrorCode::invalid_argument);
    }
    const Shape s{6, 4, 2};
    Random random(2);
    const auto g = make_gradients("normal", s, 1, random);
    FisherBlocks blocks(options(s, 1e-3));
    CHECK(code_of([&] { blocks.factor(two_threads()); }) == ErrorCode::not_fitted);
    blocks.add(std::span(g).first(8), 2);
    for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
      std::vector<float> broken(g.begin(), g.begin() + 8);
      broken[6] = bad;
      try {
        blocks.add(broken, 2);
        FAIL("not finite");
      } catch (const Error& error) {
        CHECK(error.code == ErrorCode::invalid_argument);
        CHECK(error.argument == "gradients");
        CHECK(std::string(error.what()).find("gradients[6] (row 1, entry 2)") != std::string::npos);
      }
    }
    CHECK(code_of([&] { blocks.add(g, 5); }) == ErrorCode::dimension_mismatch);
    CHECK(code_of([&] { blocks.add({}, 0); }) == ErrorCode::dimension_mismatch);
    CHECK(code_of([&] { blocks.diagonal(); }) == ErrorCode::not_fitted);
    CHECK(code_of([&] { blocks.element(0, 0, two_threads()); }) == ErrorCode::not_fitted);
    CHECK(blocks.gradients() == 2);
    blocks.add(std::span(g).subspan(8), 4);
    blocks.factor(two_threads());
    CHECK(code_of([&] { blocks.add(g, 6); }) == ErrorCode::invalid_argument);
    CHECK(code_of([&] { blocks.element(0, 4, two_threads()); }) == ErrorCode::invalid_argument);
    CHECK(compare(blocks, s, g, 1e-3, random).diagonal <= 1e-12);
  }

  TEST_CASE("a cancelled run leaves the blocks unfactored, and they can go on") {
    Random random(12);
    for (const Shape& s : {Shape{100, 2000, 20}, Shape{10, 2000, 20}, Shape{20, 3000, 3000}}) {
      const auto g = make_gradients("normal", s, 1, random);
      FisherBlocks blocks(options(s, 1e-3));
      const std::size_t half = s.rows / 2;
      blocks.add(std::span(g).first(half * s.dimension), half);
      for (const double limit : {0.0, 1e-4, 1e-3}) {
        RunControl control;
        control.threads = 2;
        control.time_limit = limit;
        try {
          blocks.factor(control);
          break;
        } catch (const Cancelled&) {
          CHECK_FALSE(blocks.factored());
        }
      }
      if (blocks.factored()) continue;  // too fast to be stopped here
      blocks.add(std::span(g).subspan(half * s.dimension), s.rows - half);
      RunControl cancelled;
      cancelled.cancel();
      CHECK_THROWS_AS(blocks.factor(cancelled), Cancelled);
      CHECK_FALSE(blocks.factored());
      blocks.factor(two_threads());
      const auto whole = factored(s, g, 1e-3);
      for (std::size_t i = 0; i < s.dimension; ++i) {
        CHECK(blocks.diagonal()[i] == doctest::Approx(whole->diagonal()[i]).epsilon(1e-11));
      }
      CHECK_THROWS_AS(blocks.element(0, 1, cancelled), Cancelled);
      CHECK(blocks.element(0, 1, two_threads()) ==
            doctest::Approx(whole->element(0, 1, two_threads())).epsilon(1e-9));
    }
  }
}
