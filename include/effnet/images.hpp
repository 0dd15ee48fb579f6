#pragma once

/// Images: JPEG and PNG in and out, resizing as Pillow and TensorFlow do it, and the way from a
/// photo to a network's input. Links to libjpeg-turbo and libpng (`effnet::io`).

#include <effnet/io/decode.hpp>
#include <effnet/io/encode.hpp>
#include <effnet/io/exif.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/preprocess.hpp>
#include <effnet/io/resize.hpp>
