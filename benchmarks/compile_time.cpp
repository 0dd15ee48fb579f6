// The program whose compilation is measured: reads weights and runs EfficientNetV2-S on the CPU.
#include <cstdio>
#include <vector>

#include <effnet/cpu.hpp>
#include <effnet/v2.hpp>
#include <effnet/weights.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const effnet::network<effnet::v2_s, effnet::cpu_backend> net{
      effnet::read_weights(argv[1], effnet::v2_s)};
  auto session = net.make_session({.threads = 2});
  const std::vector<float> pixels(384 * 384 * 3);
  const effnet::outputs& out = session.run({pixels.data(), {1, 384, 384, 3}});
  std::printf("%g\n", double(out.logits.data[0]));
}
