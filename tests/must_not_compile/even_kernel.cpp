// expect: effnet: kernels of a table must be odd
#include <effnet/reference.hpp>
#include <effnet/v1.hpp>

constexpr effnet::network_spec even_kernel() {
  effnet::network_spec table = effnet::b0;
  table.stages[1].kernel = 4;
  return table;
}

inline constexpr effnet::network_spec even = even_kernel();

long run(effnet::network<effnet::b0, effnet::reference_backend>& net) {
  return net.parameters;
}

#ifdef REFUSED
long run(effnet::network<even, effnet::reference_backend>& net) {
  return net.parameters;
}
#endif
