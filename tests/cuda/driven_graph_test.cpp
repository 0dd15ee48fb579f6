#include <effnet/backend/profiled_backend.hpp>
#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>

#include "graph_checks.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// Counts what is started by itself, recordings included, and what is started as a graph.
struct counting_device : cuda::driven_device {
  static inline int launches = 0, recordings = 0, replays = 0;

  template <cuda::kernel K>
  void run(const K& k) const {
    ++launches;
    driven_device::run(k);
  }
  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const {
    run(cuda::for_each_index<Function>{count, function});
  }
  template <class Body>
  graph record(const Body& body) const {
    ++recordings;
    return driven_device::record(body);
  }
  void replay(const graph& recorded) const {
    ++replays;
    driven_device::replay(recorded);
  }
};

/// Makes no graph of what was recorded.
struct failing_device : cuda::driven_device {
  static inline bool fails = false;

  template <class Body>
  graph record(const Body& body) const {
    graph recorded = driven_device::record(body);
    if (fails) throw backend_error("a graph that fails");
    return recorded;
  }
};

using driven_backend = cuda::gpu_backend<cuda::driven_device>;
using counting_backend = cuda::gpu_backend<counting_device>;
static_assert(records_steps<driven_backend>);
static_assert(!records_graphs<reference_training_backend>);
static_assert(!records_graphs<profiled_backend<driven_backend>>);  // it times op by op

/// What `call` starts: by itself, as recordings, as graphs.
template <class Call>
std::array<int, 3> started_by(const Call& call) {
  using on = counting_device;
  const std::array before{on::launches, on::recordings, on::replays};
  call();
  return {on::launches - before[0], on::recordings - before[1], on::replays - before[2]};
}
}  // namespace

TEST_CASE("cuda: driven: sessions that replay graphs leave the same bits") {
  check_session_graphs(driven_backend{});
}
TEST_CASE("cuda: driven: sessions that run at once record their own graphs") {
  check_sessions_at_once(driven_backend{});
}
TEST_CASE("cuda: driven: steps that replay graphs leave the same bits") {
  check_training_graphs(driven_backend{});
}
TEST_CASE("cuda: driven: what a loss is made of changes graphs") {
  check_loss_graphs(driven_backend{});
}
TEST_CASE("cuda: driven: a recording that fails leaves the device as it was") {
  check_failed_recordings(driven_backend{});
}

TEST_CASE("cuda: driven: a session's third run at a size is one graph and nothing else") {
  const counting_backend on;
  const dynamic_network<counting_backend> net(recorded_weights(), on);
  auto session = net.make_session();
  const auto run = [&](const shape4& shape) {
    const device_vector images(on, noise(shape.elements(), 1));
    return started_by([&] { session.run({images.data(), shape}); });
  };
  const shape4 small{1, 33, 40, 3}, large{1, 47, 52, 3};
  CHECK(run(small)[2] == 0);  // it packs weights, too
  const std::array second = run(small);
  const int launches = second[0];
  CHECK(launches > 10);
  CHECK(second == std::array{launches, 1, 1});
  CHECK(run(small) == std::array{0, 0, 1});
  CHECK(run(large) == std::array{launches, 0, 0});  // and moves the arena
  CHECK(run(large) == std::array{launches, 1, 1});
  CHECK(run(large) == std::array{0, 0, 1});
  CHECK(run(small) == std::array{launches, 0, 0});
  CHECK(run(small) == std::array{launches, 1, 1});
  CHECK(run(small) == std::array{0, 0, 1});
  CHECK(run(large) == std::array{0, 0, 1});

  const auto without = on.with_graphs(false);
  auto plain = dynamic_network<counting_backend>(recorded_weights(), without).make_session();
  const device_vector images(on, noise(small.elements(), 1));
  const const_tensor_view picture{images.data(), small};
  plain.run(picture);
  for (int n = 0; n < 3; ++n)
    CHECK(started_by([&] { plain.run(picture); }) == std::array{launches, 0, 0});
}

TEST_CASE("cuda: driven: a step is two graphs and the optimizer's few kernels") {
  const counting_backend on;
  auto run = trainer_on(on, rmsprop{});  // in two parts
  const training_pictures pictures(on);
  const auto step = [&] { return started_by([&] { run.step(pictures.batch()); }); };
  // Both parts are run as they are at first, once with weights to be packed and once without.
  for (int n = 0; n < 3; ++n) CHECK(step()[0] > 100);
  for (int n = 0; n < 3; ++n) {
    const std::array started = step();
    CHECK(started[0] == 5);  // statistics kept, gradients gathered twice, squares, update
    CHECK(started[1] == 0);
    CHECK(started[2] == 4);  // of each part: the pass, and moving the running statistics
  }
}

TEST_CASE("cuda: driven: weights are packed again where recording them failed") {
  const auto losses = [](bool fails) {
    const cuda::gpu_backend<failing_device> on;
    training_network net(recorded_weights(), on);
    const shape4 shape{2, 33, 40, 3};
    const device_vector images(on, noise(shape.elements(), 1)), targets(on, noise(2 * 7, 2));
    const training_batch batch{.images = {images.data(), shape}, .targets = targets.data()};
    std::vector<double> results;
    for (int n = 0; n < 4; ++n) {
      scale_values(net, 1.1f);
      if (fails && n == 1) {  // the first one that is recorded
        failing_device::fails = true;
        CHECK_THROWS_AS(net.forward_backward(batch), backend_error);
        failing_device::fails = false;
      }
      results.push_back(net.forward_backward(batch));
    }
    return results;
  };
  CHECK(losses(true) == losses(false));
}
