// Between the plain objects of lib/native-interface.ts and the structures of cpp/convex_relu.
#pragma once

#include <napi.h>

#include <vector>

#include "convex_relu/option_names.hpp"
#include "convex_relu/train.hpp"
#include "marshal.hpp"

namespace secondorder::binding {

/// Samples, dense or CSR: the arrays, and the view of them that the core reads.
class InputData {
 public:
  explicit InputData(const Fields& x);
  DataView view() const;
  std::size_t bytes() const;

 private:
  std::size_t rows_, cols_;
  RealArray values_;
  InputArray<std::int32_t> columns_, row_offsets_;
};

/// The `model` of a specification with data `x` of its number of features.
struct ModelInput {
  convex_relu::NetworkModel model;
  InputData x;

  explicit ModelInput(const Fields& spec);
};

/// The elements of a float array as doubles.
std::vector<double> doubles(const Fields& fields, const char* name,
                            std::optional<std::size_t> expected = std::nullopt);
std::vector<double> optional_doubles(const Fields& fields, const char* name,
                                     std::optional<std::size_t> expected = std::nullopt);

bool read_float64(const Fields& fields);
/// `given_gates` receives the gates that the options refer to.
convex_relu::Options read_options(const Fields& spec, std::size_t cols,
                                  std::vector<double>& given_gates);
convex_relu::NetworkModel read_model(const Fields& model);
convex_relu::Certificate read_certificate(const Fields& certificate,
                                          const convex_relu::NetworkModel& model);
/// Without gates where it is of a run that never came to its first iteration.
convex_relu::Solution read_solution(const Fields& solution);

/// Weights become a Float32Array unless `float64` is set: they were rounded to it.
Napi::Object write_model(Napi::Env env, const convex_relu::NetworkModel& model, bool float64);
Napi::Object write_certificate(Napi::Env env, const convex_relu::Certificate& certificate,
                               bool float64);
Napi::Object write_solution(Napi::Env env, const convex_relu::Solution& solution);
Napi::Object write_report(Napi::Env env, const convex_relu::Report& report,
                          const convex_relu::Options& options);

}  // namespace secondorder::binding
