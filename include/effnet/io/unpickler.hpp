#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/pickle_value.hpp>

namespace effnet::detail {

/// The classes and functions that a state dict names. Everything else is refused: a pickle is a
/// program, and this one runs nothing.
inline constexpr std::string_view known_globals[] = {
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch.nn.parameter.Parameter",
    "torch.Size",
    "torch.device",
    "torch.DoubleStorage",
    "torch.FloatStorage",
    "torch.HalfStorage",
    "torch.BFloat16Storage",
    "torch.LongStorage",
    "torch.IntStorage",
    "torch.ShortStorage",
    "torch.CharStorage",
    "torch.ByteStorage",
    "torch.BoolStorage",
};

/// Reads one pickle (protocols 2 to 5) of plain values and tensors. Never calls anything.
class unpickler {
 public:
  /// `file` is its name in quotes; `heap` owns what is read, `bytes` its text: both must outlive
  /// it.
  unpickler(std::span<const std::byte> bytes, std::string_view file, pickle_heap& heap)
      : bytes_(bytes), file_(file), heap_(heap) {}

  /// The value, and in `consumed` how many bytes its pickle had. Throws `file_error`.
  const pickle_value* read(std::size_t* consumed = nullptr) {
    while (step()) {
    }
    if (consumed != nullptr) *consumed = at_;
    if (stack_.size() != 1 || !marks_.empty()) fail("it leaves no single value");
    return stack_.back();
  }

 private:
  using kind = pickle_value::kind;
  static constexpr std::size_t most_stacked = 1u << 20;

  [[noreturn]] void fail(std::string_view what) const {
    throw file_error(sentence(file_, " holds a pickle that is damaged at byte ", at_, ": ", what));
  }
  [[noreturn]] void refuse(std::string_view what) const {
    throw file_error(sentence(file_, " needs ", what,
                              ", which is not part of a state dict and is never run; save "
                              "model.state_dict() alone with torch.save"));
  }

  template <class Integer>
  Integer number() {
    Integer value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) fail("it ends too early");
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_,
                                static_cast<std::size_t>(count));
    at_ += text.size();
    return text;
  }
  std::string_view line() {
    const std::size_t begin = at_;
    while (take(1) != "\n") {
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + begin, at_ - begin - 1};
  }

  pickle_value* make(kind is) {
    if (heap_.full()) refuse("more values than a state dict has");
    return heap_.make(is);
  }
  pickle_value* push(kind is) {
    pickle_value* value = make(is);
    push(value);
    return value;
  }
  void push(pickle_value* value) {
    if (stack_.size() >= most_stacked) refuse("a stack of a million values");
    stack_.push_back(value);
  }
  void push_integer(std::int64_t value) { push(kind::integer)->integer = value; }
  void push_text(kind is, std::uint64_t length) {
    const std::string_view text = take(length);
    push(is)->text = text;
  }
  /// Values above the innermost mark belong to what the mark began.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  pickle_value* pop() {
    if (stack_.size() <= floor()) fail("its stack is empty");
    pickle_value* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  pickle_value* top() {
    if (stack_.size() <= floor()) fail("its stack is empty");
    return stack_.back();
  }
  std::size_t pop_mark() {
    if (marks_.empty()) fail("a mark is missing");
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
  }
  /// Moves the values from `begin` on to the end of `to`.
  void gather(std::size_t begin, pickle_value& to) {
    if (stack_.size() < begin) fail("its stack is empty");
    to.items.insert(to.items.end(), stack_.begin() + static_cast<std::ptrdiff_t>(begin),
                    stack_.end());
    stack_.resize(begin);
  }
  void push_tuple(std::size_t count) {
    if (stack_.size() < floor() + count) fail("its stack is empty");
    pickle_value* tuple = make(kind::tuple);
    gather(stack_.size() - count, *tuple);
    push(tuple);
  }
  void collect(kind is) {
    pickle_value* made = make(is);
    gather(pop_mark(), *made);
    if (is == kind::dict && made->items.size() % 2 != 0) fail("a key without a value");
    push(made);
  }
  /// Appends what was pushed since the mark, or the last `count` values, to the container below.
  void extend(kind is, std::size_t begin) {
    if (begin == 0 || begin > stack_.size()) fail("its stack is empty");
    pickle_value* to = stack_[begin - 1];
    if (to->is != is)
      fail(is == kind::dict ? "an item for what is no dict" : "no list to append to");
    if (is == kind::dict && (stack_.size() - begin) % 2 != 0) fail("a key without a value");
    gather(begin, *to);
  }
  void extend_last(kind is, std::size_t count) {
    if (stack_.size() < floor() + count + 1) fail("its stack is empty");
    extend(is, stack_.size() - count);
  }
  void memoize(std::uint64_t index) {
    if (index >= most_stacked || index > memo_.size() + 256) fail("a memo index out of range");
    if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1, nullptr);
    memo_[static_cast<std::size_t>(index)] = top();
  }
  void recall(std::uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == nullptr)
      fail("an unknown memo index");
    push(memo_[static_cast<std::size_t>(index)]);
  }
  void push_long(std::uint64_t length) {
    const std::string_view digits = take(length);
    if (digits.size() > 8) {
      push(kind::big_integer)->text = digits;
      return;
    }
    std::int64_t value = 0;
    std::memcpy(&value, digits.data(), digits.size());
    if (!digits.empty() && digits.size() < 8 && (digits.back() & 0x80) != 0)
      value -= std::int64_t{1} << (8 * digits.size());  // two's complement of that many bytes
    push_integer(value);
  }

  void push_global(std::string_view module, std::string_view name) {
    for (std::string_view known : known_globals) {
      if (known.size() != module.size() + 1 + name.size() || !known.starts_with(module) ||
          known[module.size()] != '.' || !known.ends_with(name))
        continue;
      push(kind::global)->text = known;
      return;
    }
    refuse(in_quotes(sentence(module, ".", name)));
  }
  void push_stack_global() {
    const pickle_value* name = pop();
    const pickle_value* module = pop();
    if (name->is != kind::text || module->is != kind::text) fail("the name of a class is no text");
    push_global(module->text, name->text);
  }

  /// "Calls" a known global: makes the value that the call would give.
  void reduce() {
    const pickle_value* arguments = pop();
    const pickle_value* callee = pop();
    if (callee->is != kind::global) refuse("a call of what is no known class");
    if (arguments->is != kind::tuple) fail("arguments that are no tuple");
    const auto& given = arguments->items;
    const std::string_view name = callee->text;
    if (name == "collections.OrderedDict") {
      if (!given.empty()) refuse("an OrderedDict with arguments");
      push(kind::dict);
    } else if (name.starts_with("torch._utils._rebuild_tensor")) {
      if (given.size() < 4 || given[0]->is != kind::storage) fail("a tensor without storage");
      if (given.size() > 6 && !given[6]->items.empty())  // conjugated or negated on reading
        refuse("a tensor with extra state");
      push(kind::tensor)->items.assign(given.begin(), given.begin() + 4);
    } else if (name == "torch._utils._rebuild_parameter" ||
               name == "torch.nn.parameter.Parameter") {
      if (given.empty() || given[0]->is != kind::tensor) fail("a parameter without tensor");
      push(given[0]);
    } else if (name == "torch.Size") {
      if (given.size() != 1 || given[0]->is != kind::tuple) fail("a size that is no tuple");
      push(given[0]);
    } else if (name == "torch.device") {
      push(kind::opaque);
    } else {
      refuse(sentence("a call of ", in_quotes(name)));
    }
  }
  /// ('storage', torch.FloatStorage, key, device, elements), and in old files a view as sixth.
  void push_storage() {
    const pickle_value* id = pop();
    if (id->is != kind::tuple || id->items.size() < 5 || !id->items[0]->is_text("storage") ||
        id->items[1]->is != kind::global || id->items[2]->is != kind::text ||
        id->items[4]->is != kind::integer)
      refuse("an object from outside the pickle that is no tensor storage");
    if (id->items.size() > 5 && id->items[5]->is != kind::none) refuse("a view of a storage");
    push(kind::storage)->items.assign(id->items.begin(), id->items.begin() + 5);
  }
  /// Attributes of a dict (PyTorch keeps module versions there) are of no interest.
  void build() {
    pop();
    if (top()->is != kind::dict) refuse("an object with own state");
  }

  /// One opcode; false at the end of the pickle.
  bool step() {
    const auto code = static_cast<unsigned char>(take(1)[0]);
    // clang-format off
    switch (code) {
      case '.': return false;
      case 0x80:
        if (const auto protocol = number<std::uint8_t>(); protocol < 2 || protocol > 5)
          fail(sentence("protocol ", int{protocol}, ", expected 2 to 5"));
        break;
      case 0x95: number<std::uint64_t>(); break;  // a frame: a hint for streams
      case '(':
        if (marks_.size() >= most_stacked) refuse("a million nested values");
        marks_.push_back(stack_.size());
        break;
      case '0': pop(); break;
      case '1': stack_.resize(pop_mark()); break;
      case '2': push(top()); break;
      case 'N': push(kind::none); break;
      case 0x88: push(kind::boolean)->integer = 1; break;
      case 0x89: push(kind::boolean); break;
      case 'J': push_integer(number<std::int32_t>()); break;
      case 'K': push_integer(number<std::uint8_t>()); break;
      case 'M': push_integer(number<std::uint16_t>()); break;
      case 0x8a: push_long(number<std::uint8_t>()); break;
      case 'G': {
        std::uint64_t bits = 0;  // big endian
        for (char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
        push(kind::real)->integer = static_cast<std::int64_t>(bits);
        break;
      }
      case 'X':
      case 'T': push_text(kind::text, number<std::uint32_t>()); break;
      case 0x8c:
      case 'U': push_text(kind::text, number<std::uint8_t>()); break;
      case 0x8d: push_text(kind::text, number<std::uint64_t>()); break;
      case 'B': push_text(kind::bytes, number<std::uint32_t>()); break;
      case 'C': push_text(kind::bytes, number<std::uint8_t>()); break;
      case ')': push(kind::tuple); break;
      case 't': collect(kind::tuple); break;
      case 0x85: push_tuple(1); break;
      case 0x86: push_tuple(2); break;
      case 0x87: push_tuple(3); break;
      case ']': push(kind::list); break;
      case 'l': collect(kind::list); break;
      case 'a': extend_last(kind::list, 1); break;
      case 'e': extend(kind::list, pop_mark()); break;
      case '}': push(kind::dict); break;
      case 'd': collect(kind::dict); break;
      case 's': extend_last(kind::dict, 2); break;
      case 'u': extend(kind::dict, pop_mark()); break;
      case 'q': memoize(number<std::uint8_t>()); break;
      case 'r': memoize(number<std::uint32_t>()); break;
      case 0x94: memoize(memo_.size()); break;
      case 'h': recall(number<std::uint8_t>()); break;
      case 'j': recall(number<std::uint32_t>()); break;
      case 'c': {
        const std::string_view module = line();
        push_global(module, line());
        break;
      }
      case 0x93: push_stack_global(); break;
      case 'R':
      case 0x81: reduce(); break;
      case 'b': build(); break;
      case 'Q': push_storage(); break;
      default: refuse(sentence("pickle instruction ", int{code}));
    }
    // clang-format on
    return true;
  }

  std::span<const std::byte> bytes_;
  std::string_view file_;
  pickle_heap& heap_;
  std::size_t at_ = 0;
  std::vector<pickle_value*> stack_, memo_;
  std::vector<std::size_t> marks_;
};

}  // namespace effnet::detail
