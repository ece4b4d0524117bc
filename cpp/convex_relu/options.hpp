// What a training run is asked for. Defaults are the facade's business.
#pragma once

#include <cstdint>
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

struct Options {
  Loss loss = Loss::squared;
  Model model = Model::relu;
  Penalty penalty = Penalty::gate;
  double beta = 1e-3;

  GateSource gate_source = GateSource::gaussian;
  std::size_t gates = 128;
  std::size_t image_height = 0, image_width = 0;  ///< patches
  std::span<const double> given_gates;            ///< gates × given_columns, in s-space
  std::size_t given_columns = 0;                  ///< d, or d + 1 with the bias last

  Preprocess preprocess = Preprocess::standardize;
  std::size_t components = 0;  ///< PCA dimensions; 0 keeps all features
  bool bias = true;

  double tolerance = 1e-3;
  std::size_t max_iterations = 1000;
  std::size_t check_every = 10;
  std::optional<double> rho;
  double relaxation = 1.7;
  Route route = Route::automatic;
  std::uint64_t seed = 0;

  DeviceRequest device;
  Products products = Products::float32;  ///< of a float32 run on a GPU
};

}  // namespace secondorder::convex_relu
