#include "communicator/communicator.hpp"

namespace secondorder {

namespace {

class Alone final : public Communicator {
 public:
  std::size_t rank() const override { return 0; }
  std::size_t size() const override { return 1; }
  void sum(std::span<double>) override {}
  void max(std::span<double>) override {}
  void share(std::span<double>) override {}
  void sum(Algebra<float>&, View<float>) override {}
  void sum(Algebra<double>&, View<double>) override {}
};

}  // namespace

Communicator& alone() {
  static Alone one;  // without a state: any number of threads may use it
  return one;
}

}  // namespace secondorder
