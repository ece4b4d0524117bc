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

  TEST_CASE("auto: float32, then bfloat16, then disk, then an error, as memory gets less") {
    Random random(14);
    for (const Shape& s : {Shape{20, 3000, 3000}, Shape{20, 3000, 500}, Shape{80, 600, 30}}) {
      const auto g = make_gradients("normal", s, 1, random);
      const auto plan = [&](GradientStorage storage, std::size_t memory) {
        FisherBlocksOptions o = options(s, 1e-2, storage);
        o.expected = s.rows;
        o.memory = memory;
        return std::make_unique<FisherBlocks>(o);
      };
      const auto refused = [&](GradientStorage storage, std::size_t memory) {
        return code_of([&] { plan(storage, memory); }) == ErrorCode::out_of_memory;
      };
      /// The fewest bytes that a storage is content with.
      const auto least = [&](GradientStorage storage) {
        std::size_t low = 0, high = std::size_t{1} << 40;
        while (high - low > 1) {
          const std::size_t middle = low + (high - low) / 2;
          (refused(storage, middle) ? low : high) = middle;
        }
        return high;
      };
      const std::size_t whole = least(GradientStorage::float32),
                        half = least(GradientStorage::bfloat16),
                        none = least(GradientStorage::disk), entries = s.rows * s.dimension;
      CHECK(whole - half == entries * 2);
      CHECK(half - none == entries * 2);

      const auto run = [&](std::size_t memory) {
        auto blocks = plan(GradientStorage::automatic, memory);
        blocks->add(g, s.rows);
        return blocks;
      };
      const auto exact = run(whole), rounded = run(whole - 1), last_rounded = run(half),
                 paged = run(half - 1), last_paged = run(none);
      CHECK(refused(GradientStorage::automatic, none - 1));
      CHECK(exact->storage() == GradientStorage::automatic);
      CHECK(exact->bytes() >= entries * 4);
      CHECK_FALSE(exact->paged());
      for (const auto* blocks : {&rounded, &last_rounded}) {
        CHECK((*blocks)->storage() == GradientStorage::bfloat16);
        CHECK((*blocks)->bytes() < exact->bytes());
        CHECK_FALSE((*blocks)->paged());
      }
      for (const auto* blocks : {&paged, &last_paged}) {
        CHECK((*blocks)->storage() == GradientStorage::disk);
        CHECK((*blocks)->disk_bytes() >= entries * 4);
        CHECK((*blocks)->bytes() < entries);
      }
      for (const auto* blocks : {&exact, &rounded, &paged, &last_paged}) {
        (*blocks)->factor(two_threads());
      }
      const auto held = factored(s, g, 1e-2);
      for (std::size_t i = 0; i < s.dimension; ++i) {
        CHECK(exact->diagonal()[i] == held->diagonal()[i]);
        CHECK(paged->diagonal()[i] == exact->diagonal()[i]);
        CHECK(rounded->diagonal()[i] == doctest::Approx(exact->diagonal()[i]).epsilon(0.1));
      }
    }
  }

  TEST_CASE("what is not finite is an error, block by block") {
    // The first block is well off; of the second, 1/λ is beyond float64.
    const std::vector<float> g = {1, 2, 0, 0, 2, 1, 0, 0};
    for (const std::size_t rows : {1, 2}) {
      FisherBlocks blocks(options({rows, 4, 2}, 1e-310));
      blocks.add(std::span(g).first(rows * 4), rows);
      blocks.factor(two_threads());
      const auto code = [&](const auto& call) { return code_of(call); };
      CHECK(code([&] { blocks.diagonal(); }) == ErrorCode::numerical);
      CHECK(code([&] { blocks.element(3, 3, two_threads()); }) == ErrorCode::numerical);
      std::vector<double> x(4, 1), out(4), delta(4);
      CHECK(code([&] { blocks.solve<double>(x, 1, out, two_threads()); }) == ErrorCode::numerical);
      const std::vector<std::uint32_t> bad = {2}, good = {0};
      const std::vector<double> value = {1};
      CHECK(code([&] { blocks.remove(bad, value, false, delta, two_threads()); }) ==
            ErrorCode::numerical);
      if (rows == 1) continue;
      CHECK(std::isfinite(blocks.element(0, 0, two_threads())));
      CHECK(std::isfinite(blocks.remove(good, value, true, delta, two_threads())));
      CHECK(std::isfinite(blocks.remove(good, value, false, delta, two_threads())));
    }
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
