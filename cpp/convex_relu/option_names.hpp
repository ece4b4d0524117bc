// What the choices among the options are called outside.
#pragma once

#include "base/enum_names.hpp"
#include "convex_relu/attack.hpp"
#include "convex_relu/options.hpp"

namespace secondorder {

template <>
struct EnumNames<Loss> {
  static constexpr Named<Loss> table[] = {{"squared", Loss::squared},
                                          {"logistic", Loss::logistic},
                                          {"hinge", Loss::hinge},
                                          {"softmax", Loss::softmax}};
};

template <>
struct EnumNames<convex_relu::Model> {
  using Model = convex_relu::Model;
  static constexpr Named<Model> table[] = {{"relu", Model::relu}, {"gated", Model::gated}};
};

template <>
struct EnumNames<convex_relu::Method> {
  using Method = convex_relu::Method;
  static constexpr Named<Method> table[] = {{"admm", Method::admm}, {"scp", Method::scp}};
};

template <>
struct EnumNames<convex_relu::Penalty> {
  using Penalty = convex_relu::Penalty;
  static constexpr Named<Penalty> table[] = {{"gate", Penalty::gate}, {"neuron", Penalty::neuron}};
};

template <>
struct EnumNames<convex_relu::Preprocess> {
  using Preprocess = convex_relu::Preprocess;
  static constexpr Named<Preprocess> table[] = {{"standardize", Preprocess::standardize},
                                                {"unit-columns", Preprocess::unit_columns},
                                                {"none", Preprocess::none}};
};

/// Those that can be asked for by name: given gates come as a matrix.
template <>
struct EnumNames<convex_relu::GateSource> {
  using GateSource = convex_relu::GateSource;
  static constexpr Named<GateSource> table[] = {{"gaussian", GateSource::gaussian},
                                                {"data", GateSource::data},
                                                {"patches", GateSource::patches}};
};

template <>
struct EnumNames<convex_relu::GlobalBoundWhen> {
  using When = convex_relu::GlobalBoundWhen;
  static constexpr Named<When> table[] = {
      {"never", When::never}, {"auto", When::automatic}, {"always", When::always}};
};

template <>
struct EnumNames<convex_relu::AttackMethod> {
  using Method = convex_relu::AttackMethod;
  static constexpr Named<Method> table[] = {{"fgsm", Method::fgsm}, {"pgd", Method::pgd}};
};

template <>
struct EnumNames<convex_relu::AttackUnits> {
  using Units = convex_relu::AttackUnits;
  static constexpr Named<Units> table[] = {{"input", Units::input}, {"solver", Units::solver}};
};

template <>
struct EnumNames<convex_relu::AttackGoal> {
  using Goal = convex_relu::AttackGoal;
  static constexpr Named<Goal> table[] = {{"margin", Goal::margin}, {"squared", Goal::squared}};
};

template <>
struct EnumNames<convex_relu::Route> {
  using Route = convex_relu::Route;
  static constexpr Named<Route> table[] = {{"auto", Route::automatic},
                                           {"woodbury", Route::woodbury},
                                           {"gram", Route::gram},
                                           {"cg", Route::conjugate_gradient}};
};

}  // namespace secondorder
