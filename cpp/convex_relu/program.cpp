#include "convex_relu/program.hpp"

#include <cmath>

#include "convex_relu/symmetric_eigen.hpp"

namespace secondorder::convex_relu {

namespace {

/// Directions whose eigenvalue is below this fraction of the largest are rounding.
constexpr double rank_tolerance = 1e-12;

/// z of all rows, scaled by rows.
void scaled_features(const Preprocessing& preprocessing, const std::vector<double>& row_scale,
                     std::size_t first, ConstView<double> s, HostAlgebra& host, View<double> z) {
  preprocessing.features_of(s, host, z);
  if (row_scale.empty()) return;
  for (std::size_t k = 0; k < z.rows; ++k) {
    for (std::size_t j = 0; j < z.cols; ++j) z.row(k)[j] *= row_scale[first + k];
  }
}

/// Mean norm of the columns that aren't zero, from the diagonal of the Gram matrix.
double mean_column_norm(const std::vector<double>& squares) {
  double sum = 0;
  std::size_t count = 0;
  for (const double square : squares) {
    if (square <= 0) continue;
    sum += std::sqrt(square);
    ++count;
  }
  return count == 0 ? 1 : sum / static_cast<double>(count);
}

/// The bits that a part needs, of rows from `first_row` on, to its memory.
template <class Real>
void upload_bits(GateBits all, std::size_t first_row, const ProgramPart<Real>& part) {
  const std::span<const std::uint64_t> words(all.words, all.rows * all.stride());
  if (part.gates.count == all.gates) {
    part.algebra.upload(words, part.program.gates.block(first_row, all.rows));
    return;
  }
  part.algebra.upload(cut_bits(all, part.gates), part.program.gates.block(first_row, all.rows));
  if (part.program.all_bits.words != nullptr) {
    part.algebra.upload(words, part.program.all_bits.block(first_row, all.rows));
  }
}

/// The rotation from eigenpairs of ZᵀZ given as rows of `vectors`.
Rotation keep_rank(const std::vector<double>& values, ConstView<double> vectors, double scale) {
  Rotation rotation;
  rotation.scale = scale;
  rotation.features = vectors.cols;
  const double largest = values.empty() ? 0 : std::max(values.back(), 0.0);
  std::vector<std::size_t> kept;
  for (std::size_t i = values.size(); i-- > 0;) {
    if (values[i] > largest * rank_tolerance) kept.push_back(i);
  }
  if (kept.empty()) kept.push_back(values.size() - 1);  // all-zero features keep one, zero, column
  const std::size_t rank = kept.size();
  rotation.basis.resize(rotation.features * rank);
  for (std::size_t i = 0; i < rank; ++i) {
    rotation.eigenvalues.push_back(std::max(values[kept[i]], 0.0) / (scale * scale));
    for (std::size_t j = 0; j < rotation.features; ++j) {
      rotation.basis[j * rank + i] = vectors.row(kept[i])[j];
    }
  }
  return rotation;
}

/// More features than rows: eigenvectors of ZᵀZ are Zᵀq/√λ for the eigenpairs (λ, q) of ZZᵀ.
Rotation fit_wide(const DataView& data, const Preprocessing& preprocessing,
                  const std::vector<double>& row_scale, HostAlgebra& host) {
  const std::size_t n = data.rows, f = preprocessing.features();
  std::vector<double> z_storage(n * f), kernel_storage(n * n), vector_storage(n * f);
  const View<double> z(z_storage.data(), n, f), kernel(kernel_storage.data(), n, n);
  for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    scaled_features(preprocessing, row_scale, first, s, host, z.block(first, s.rows));
  });
  std::vector<double> squares(f);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t j = 0; j < f; ++j) squares[j] += z.row(k)[j] * z.row(k)[j];
  }
  host.multiply(1, z, Transpose::no, z, Transpose::yes, 0, kernel);
  const std::vector<double> values = symmetric_eigen(kernel, host);
  const View<double> vectors(vector_storage.data(), n, f);
  host.multiply(1, kernel, Transpose::no, z, Transpose::no, 0, vectors);
  for (std::size_t i = 0; i < n; ++i) {
    const double norm = std::sqrt(host.dot(vectors.block(i, 1), vectors.block(i, 1)));
    for (std::size_t j = 0; norm > 0 && j < f; ++j) vectors.row(i)[j] /= norm;
  }
  return keep_rank(values, vectors, mean_column_norm(squares));
}

}  // namespace

Targets Targets::of(const DataView& data, const std::vector<double>& y, std::size_t outputs,
                    const std::vector<double>& weights) {
  Targets targets;
  targets.outputs = outputs;
  targets.y.reserve(data.rows * outputs);
  for (std::size_t k = 0; k < data.rows; ++k) {
    const std::size_t source = data.selected.empty() ? k : data.selected[k];
    const double* row = y.data() + source * outputs;
    targets.y.insert(targets.y.end(), row, row + outputs);
    if (!weights.empty()) targets.weights.push_back(weights[source]);
    targets.total_weight += weights.empty() ? 1 : weights[source];
  }
  return targets;
}

Targets Targets::folded(Loss loss) const {
  Targets folded = *this;
  if (loss != Loss::squared || weights.empty()) return folded;
  folded.weights.clear();
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double root = std::sqrt(weights[k]);
    folded.row_scale.push_back(root);
    for (std::size_t o = 0; o < outputs; ++o) folded.y[k * outputs + o] *= root;
  }
  return folded;
}

Rotation fit_rotation(const DataView& data, const Preprocessing& preprocessing,
                      const std::vector<double>& row_scale, HostAlgebra& host) {
  const std::size_t f = preprocessing.features();
  if (f > data.rows) return fit_wide(data, preprocessing, row_scale, host);
  std::vector<double> gram_storage(f * f), z_storage(std::min(host_block, data.rows) * f);
  const View<double> gram(gram_storage.data(), f, f);
  for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    const View<double> z(z_storage.data(), s.rows, f);
    scaled_features(preprocessing, row_scale, first, s, host, z);
    host.multiply(1, z, Transpose::yes, z, Transpose::no, 1, gram);
  });
  std::vector<double> squares;
  for (std::size_t j = 0; j < f; ++j) squares.push_back(gram.row(j)[j]);
  const std::vector<double> values = symmetric_eigen(gram, host);
  return keep_rank(values, gram, mean_column_norm(squares));
}

template <class Real>
Program<Real> program_of_shard(const Program<Real>& all, const GateRange& range, bool weighted,
                               Route route, Arena& arena) {
  Program<Real> program(shape_of_shard(all.shape, range), weighted, arena);
  program.loss = all.loss;
  program.beta = all.beta;
  program.group = all.group;
  program.eigenvalues = all.eigenvalues;
  program.first_gate = range.first;
  program.all_gates = all.shape.gates;
  if (range.count < program.all_gates && route == Route::woodbury) {
    program.all_bits = arena.gate_bits(all.shape.rows, program.all_gates);
  }
  return program;
}

template <class Real>
void load_program(const DataView& data, const Preprocessing& preprocessing,
                  const Rotation& rotation, const Gates& gates, const Targets& targets,
                  HostAlgebra& host, GateBits patterns, std::span<const ProgramPart<Real>> parts) {
  const std::size_t f = rotation.features, r = rotation.rank(), c = targets.outputs;
  const std::size_t rows = std::min(host_block, data.rows);
  std::vector<double> z_storage(rows * f), rotated_storage(rows * r);
  std::vector<Real> x(rows * r), y(rows * c);
  for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    const View<double> z(z_storage.data(), s.rows, f);
    const View<double> rotated(rotated_storage.data(), s.rows, r);
    scaled_features(preprocessing, targets.row_scale, first, s, host, z);
    host.multiply(1 / rotation.scale, z, Transpose::no, {rotation.basis.data(), f, r},
                  Transpose::no, 0, rotated);
    std::copy_n(rotated.data, s.rows * r, x.data());
    std::copy_n(targets.y.data() + first * c, s.rows * c, y.data());
    const GateBits bits = patterns.block(first, s.rows);
    if (gates.count > 0) block_patterns(s, gates, host, bits);
    for (const ProgramPart<Real>& part : parts) {
      part.algebra.upload(x, part.program.x.block(first, s.rows));
      part.algebra.upload(y, part.program.y.block(first, s.rows));
      if (gates.count > 0) upload_bits(bits, first, part);
    }
  });
  const std::vector<Real> weights(targets.weights.begin(), targets.weights.end());
  for (const ProgramPart<Real>& part : parts) {
    if (part.program.weights.data != nullptr) part.algebra.upload(weights, part.program.weights);
  }
}

template Program<float> program_of_shard(const Program<float>&, const GateRange&, bool, Route,
                                         Arena&);
template Program<double> program_of_shard(const Program<double>&, const GateRange&, bool, Route,
                                          Arena&);
template void load_program(const DataView&, const Preprocessing&, const Rotation&, const Gates&,
                           const Targets&, HostAlgebra&, GateBits,
                           std::span<const ProgramPart<float>>);
template void load_program(const DataView&, const Preprocessing&, const Rotation&, const Gates&,
                           const Targets&, HostAlgebra&, GateBits,
                           std::span<const ProgramPart<double>>);

}  // namespace secondorder::convex_relu
