#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <effnet/core/rng.hpp>
#include <effnet/data/cifar.hpp>

#include "temporary_folder.hpp"

using namespace effnet;
using namespace effnet::testing;

namespace {

/// Value of a pixel in the files made here.
std::uint8_t value(int record, int channel, int y, int x) {
  return static_cast<std::uint8_t>(record * 31 + channel * 80 + y * 3 + x);
}

std::string records(int first, int count, int classes, bool with_coarse = false) {
  std::string bytes;
  for (int r = first; r < first + count; ++r) {
    if (with_coarse) bytes += static_cast<char>(r % 20);
    bytes += static_cast<char>(r % classes);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 32; ++y)
        for (int x = 0; x < 32; ++x) bytes += static_cast<char>(value(r, c, y, x));
  }
  return bytes;
}

void write_cifar10(const std::string& folder) {
  std::filesystem::create_directories(folder);
  for (int i = 1; i <= 5; ++i)  // batches of different lengths: 1 to 5 records
    write_bytes(folder + "/data_batch_" + std::to_string(i) + ".bin",
                records(i * (i - 1) / 2, i, 10));
  write_bytes(folder + "/test_batch.bin", records(0, 3, 10));
}

std::string refusal(const std::string& folder, set_part part) {
  try {
    read_cifar10(folder, part);
  } catch (const file_error& e) {
    return e.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("data: CIFAR-10 is read across its batches, planes to pixels") {
  const temporary_folder folder;
  write_cifar10(folder / "cifar-10-batches-bin");
  for (const std::string& given : {folder / "", folder / "cifar-10-batches-bin"}) {
    const cifar set = read_cifar10(given, set_part::train);
    REQUIRE(set.count() == 15);
    CHECK(set.classes()[9] == "truck");
    for (int i = 0; i < 15; ++i) {
      const auto at = static_cast<std::size_t>(i);
      CHECK(set.label(at) == i % 10);
      const image picture = set.image(at);
      REQUIRE(picture.width == 32);
      REQUIRE(picture.height == 32);
      int wrong = 0;
      for (int y = 0; y < 32; ++y)
        for (int x = 0; x < 32; ++x)
          for (int c = 0; c < 3; ++c) wrong += picture.row(y)[x * 3 + c] != value(i, c, y, x);
      CHECK(wrong == 0);
    }
    CHECK(has(set.name(4), "image 1 of data_batch_3.bin"));
  }
  CHECK(read_cifar10(folder / "", set_part::test).count() == 3);
}

TEST_CASE("data: CIFAR's class names come from the file beside it, which must name every class") {
  const temporary_folder folder;
  write_cifar10(folder / "");
  write_bytes(folder / "batches.meta.txt", "a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  CHECK(read_cifar10(folder / "", set_part::test).classes()[0] == "a");
  CHECK(read_cifar10(folder / "", set_part::test).classes()[9] == "j");
  write_bytes(folder / "batches.meta.txt", "a\nb\n");
  CHECK(has(refusal(folder / "", set_part::test), "names 2 classes, expected 10"));
}

TEST_CASE("data: CIFAR-100 has fine and coarse labels") {
  const temporary_folder folder;
  std::filesystem::create_directories(folder / "cifar-100-binary");
  write_bytes(folder / "cifar-100-binary/train.bin", records(30, 40, 100, true));
  const cifar fine = read_cifar100(folder / "", set_part::train);
  const cifar coarse = read_cifar100(folder / "", set_part::train, cifar100_labels::coarse);
  CHECK(fine.count() == 40);
  CHECK(fine.classes().size() == 100);
  CHECK(fine.classes()[7] == "class 7");
  CHECK(coarse.classes().size() == 20);
  CHECK(fine.label(5) == 35);
  CHECK(coarse.label(5) == 15);
  CHECK(fine.image(5) == coarse.image(5));
  CHECK(fine.image(5).row(2)[4 * 3 + 1] == value(35, 1, 2, 4));
  CHECK_THROWS_AS(read_cifar100(folder / "", set_part::test), file_error);
}

TEST_CASE("data: what is missing or damaged in CIFAR is named") {
  const temporary_folder folder;
  CHECK(has(refusal(folder / "", set_part::train), "there is no data_batch_1.bin in"));
  write_cifar10(folder / "");
  std::filesystem::remove(folder / "data_batch_4.bin");
  CHECK(has(refusal(folder / "", set_part::train), "data_batch_4.bin"));
  for (std::size_t size : {0u, 1u, 3072u, 3074u, 9218u}) {
    std::string bytes = records(0, 3, 10);
    bytes.resize(size);
    write_bytes(folder / "test_batch.bin", bytes);
    CHECK(has(refusal(folder / "", set_part::test), "no multiple of the 3073"));
  }
  std::string bytes = records(0, 3, 10);
  bytes[2 * 3073] = '\x0A';
  write_bytes(folder / "test_batch.bin", bytes);
  CHECK(has(refusal(folder / "", set_part::test), "record 2 has the label 10, expected 0 to 9"));
}

TEST_CASE("data: no damage of a CIFAR file is more than a file_error") {
  const temporary_folder folder;
  int read = 0;
  for (std::uint64_t round = 0; round < 300; ++round) {
    std::string bytes = records(0, 2, 10);
    for (std::uint64_t k = 0; k < 3; ++k)
      bytes[mix64(round * 8 + k) % bytes.size()] = static_cast<char>(mix64(round * 8 + k + 4));
    if (round % 2 == 1) bytes.resize(mix64(round) % bytes.size());
    write_bytes(folder / "test_batch.bin", bytes);
    try {
      const cifar set = read_cifar10(folder / "", set_part::test);
      for (std::size_t i = 0; i < set.count(); ++i) read += set.image(i).width == 32;
    } catch (const file_error&) {
    }
  }
  CHECK(read > 100);
}
