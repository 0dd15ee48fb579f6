#include <effnet/arch/models.hpp>
#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>

#include "../op_check.hpp"

// How kernels are started, for every layer of every model.
namespace {
using namespace effnet;

/// A device that looks at launches and runs none; its memory is never touched.
class launch_device : public cuda::driven_device {
 public:
  static inline std::size_t launches = 0, violations = 0;

  struct temporary {
    temporary(const launch_device&, std::size_t) {}
    std::byte* data() const { return reinterpret_cast<std::byte*>(4096); }
  };

  template <cuda::kernel K>
  void run(const K& k) const {
    ++launches;
    const cuda::launch_shape shape = k.shape();
    const std::string wrong = cuda::launch_violation(shape);
    if (wrong.empty() && shape.block.count() <= K::most_threads && k.phases() > 0) return;
    ++violations;
    MESSAGE(std::string_view(K::name), ' ', wrong);
  }
  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const {
    run(cuda::for_each_index<Function>{count, function});
  }
};

/// An address in the memory that is never touched.
float* const nowhere = reinterpret_cast<float*>(4096);

void launch_layer(const cuda::gpu_backend<launch_device>& on, const layer& l, int batch) {
  const conv_problem p = problem_of(l, padding_rule::tf_same, {batch, l.src_h, l.src_w, l.in});
  const cuda::packed_weights<launch_device> weights;
  auto* scratch = reinterpret_cast<std::byte*>(nowhere);
  const dtype type = p.fully_connected() ? dtype::f32 : map_type(on);
  const const_tensor_view src{nowhere, p.src, type}, result{nowhere, p.dst(), type};
  const tensor_view diff_src{nowhere, p.src, type}, dst{nowhere, p.dst(), type};
  on.conv_forward(on.plan_conv(p), weights, src, dst, scratch);
  if (p.depthwise())
    on.expand_depthwise_forward(on.plan_expand_depthwise(nullptr, p, l.act), nullptr, weights, src,
                                dst, nowhere, scratch);
  on.conv_backward_data(on.plan_conv_backward_data(p), weights, result, diff_src, scratch);
  on.conv_backward_weights(on.plan_conv_backward_weights(p, l.bias), src, result, nowhere, nowhere,
                           scratch);
  if (l.role == layer_role::squeeze) {
    const conv_problem excite = problem_of({.out = l.in}, padding_rule::tf_same, p.dst());
    on.squeeze_excite_forward(on.plan_squeeze_excite(p, excite, l.act), weights, weights, src,
                              {nowhere, p.src});
  }
  if (!l.batch_norm) return;
  const shape4 pooled{batch, 1, 1, l.out};
  const normalised what{.src = result, .constants = {nowhere, l.out}, .act = l.act};
  on.batch_statistics(result, nowhere, nowhere, scratch);
  on.prepare_norm(nowhere, nowhere, nowhere, nowhere, 1e-3f, l.out, nowhere);
  on.normalise_forward(what, nowhere, dst);
  on.normalise_pool(what, {nowhere, pooled});
  on.gate_backward(what, result, {nowhere, pooled}, nowhere);
  on.normalise_backward(what, nowhere, nowhere, nowhere, true, dst, nowhere, nowhere, scratch);
  on.move_statistics(nowhere, nowhere, 1, l.out, 0.1f, running_variance::biased, nowhere, nowhere);
}
}  // namespace

TEST_CASE("cuda: every launch of every model is one that all architectures take") {
  const cuda::gpu_backend<launch_device> on, on_tensor_cores(cuda::products::bf16);
  for (const network_spec* spec : models)
    for (const int batch : {1, 7, 128})
      for (const int size : {spec->eval_size, 33})
        for_each_layer(*spec, size, size, [&](const layer& l) {
          launch_layer(on, l, batch);
          launch_layer(on_tensor_cores, l, batch);
        });
  MESSAGE(launch_device::launches, " launches");
  CHECK(launch_device::launches > 10000);
  CHECK(launch_device::violations == 0);
}
