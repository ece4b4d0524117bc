// What a training run is asked for. Defaults are the facade's business.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "algebra/loss.hpp"
#include "device/request.hpp"

namespace secondorder::convex_relu {

enum class Model { relu, gated };
/// One group ‖·‖₂ per gate across outputs, or one per gate and output (a plain network's neurons).
enum class Penalty { gate, neuron };
enum class Preprocess { standardize, unit_columns, none };
enum class GateSource { gaussian, data, patches, given };
/// How the u-update's linear system is solved (u_update.hpp).
enum class Route { automatic, woodbury, gram, conjugate_gradient };

/// How the program is solved: by ADMM over gates and their cones, or over sampled hidden vectors
/// (scp.hpp).
enum class Method { admm, scp };

/// Whether training ends with a bound over all networks (global_bound.hpp): automatic where that is
/// cheap, which it is in few dimensions.
enum class GlobalBoundWhen { never, automatic, always };

struct GlobalBoundOptions {
  GlobalBoundWhen when = GlobalBoundWhen::never;
  double tolerance = 2e-3;  ///< of the bound, relative
  /// Cones of the branch and bound, at most; left out: 5,000,000 in up to four dimensions, which
  /// takes a minute for some hundred samples, 200,000 in more.
  std::optional<std::size_t> nodes;
  double seconds = std::numeric_limits<double>::infinity();
  std::size_t bytes = std::size_t{64} << 20;  ///< of the search's open cones, at most
  std::size_t relaxation_steps = 200;  ///< of the descent on the relaxation's multipliers; 0: none
  std::size_t cuts = 60;               ///< dual vectors tried beyond the certificate's, at most
  std::size_t rounds = 0;  ///< of training again with the gates that the search found, at most
};

/// Gate refinement (refine.hpp).
struct RefineOptions {
  std::size_t width = 0;  ///< neurons it works with; 0: no refinement
  /// The network keeps to the width, also where the program over its patterns has a better solution
  /// of more neurons (at most two for each pattern and output).
  bool keeps_width = false;
  std::size_t rounds = 16;  ///< at most
  double tolerance = 2e-3;  ///< ends at a pricing ratio of 1 + tolerance
};

struct Options {
  Loss loss = Loss::squared;
  Method method = Method::admm;
  Model model = Model::relu;
  Penalty penalty = Penalty::gate;
  double beta = 1e-3;

  GateSource gate_source = GateSource::gaussian;
  std::size_t gates = 128;
  std::size_t image_height = 0, image_width = 0;  ///< patches
  std::span<const double> given_gates;            ///< gates × given_columns, in s-space
  std::size_t given_columns = 0;                  ///< d, or d + 1 with the bias last

  RefineOptions refine;

  Preprocess preprocess = Preprocess::standardize;
  bool bias = true;
  std::size_t components = 0;  ///< PCA dimensions; 0 keeps all features

  double tolerance = 1e-3;
  std::size_t max_iterations = 1000;
  std::size_t check_every = 10;
  std::optional<double> rho;
  double relaxation = 1.7;
  Route route = Route::automatic;
  std::uint64_t seed = 0;
  GlobalBoundOptions global_bound;

  /// Adversarial training: samples may be moved by at most this in each feature of z.
  std::optional<double> epsilon;
  bool descend = true;  ///< after it, on the network's own adversarial loss

  DeviceRequest device;
  Products products = Products::float32;  ///< of a float32 run on a GPU
};

}  // namespace secondorder::convex_relu
