// Runs a network where only Eigen is there.
#include <cmath>
#include <cstdio>
#include <vector>

#include <effnet/reference.hpp>
#include <effnet/v2.hpp>
#include <effnet/weights.hpp>

int main() {
  const effnet::network<effnet::v2_b0, effnet::reference_backend> net{
      effnet::initial_weights(effnet::v2_b0, 1)};
  auto session = net.make_session();
  const std::vector<float> pixels(64 * 64 * 3, 0.5f);
  const effnet::outputs& out = session.run({pixels.data(), {1, 64, 64, 3}});
  for (int i = 0; i < effnet::v2_b0.classes; ++i)
    if (!std::isfinite(out.logits.data[i])) return 1;
  std::printf("first logit: %g\n", double(out.logits.data[0]));
  return 0;
}
