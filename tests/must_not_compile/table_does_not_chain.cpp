// expect: effnet: this table does not chain: a stage's .in must equal the .out of the stage before
// it
#include <effnet/reference.hpp>
#include <effnet/v2.hpp>

constexpr effnet::network_spec broken_link() {
  effnet::network_spec table = effnet::v2_b0;
  table.stages[2].in += 8;
  return table;
}

inline constexpr effnet::network_spec whole = effnet::v2_b0;
inline constexpr effnet::network_spec broken = broken_link();

long run(effnet::network<whole, effnet::reference_backend>& net) {
  return net.parameters;
}

#ifdef REFUSED
long run(effnet::network<broken, effnet::reference_backend>& net) {
  return net.parameters;
}
#endif
