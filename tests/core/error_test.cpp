#include <doctest/doctest.h>

#include <effnet/core/raw_tensor.hpp>
#include <effnet/core/shape.hpp>

using namespace effnet;

TEST_CASE("core: sentences join words and numbers") {
  CHECK(sentence("stage ", 3, ": ", 0.25f, '/', std::string("x"), " of ", -1) ==
        "stage 3: 0.25/x of -1");
  CHECK(sentence(2.0) == "2");
  CHECK(to_string(shape4{1, 2, 3, 4}) == "[1, 2, 3, 4]");
  CHECK(shape_text({}) == "[]");
  CHECK(shape_text({32, 3, 3, 3}) == "[32, 3, 3, 3]");
}

TEST_CASE("core: every error is one that a caller can catch as effnet::error") {
  CHECK_THROWS_AS(throw spec_error("x"), error);
  CHECK_THROWS_AS(throw weight_error("x"), error);
  CHECK_THROWS_AS(throw file_error("x"), error);
  CHECK_THROWS_AS(throw shape_error("x"), error);
  CHECK_THROWS_AS(throw image_error("x"), error);
  CHECK_THROWS_AS(throw backend_error("x"), error);
}
