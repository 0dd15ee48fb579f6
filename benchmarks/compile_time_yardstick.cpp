// What compile_time.py compiles beside compile_time.cpp, to know how fast the machine is: standard
// templates alone, so that no change of the library changes it.

#include <map>
#include <regex>
#include <string>
#include <vector>

int main(int count, char** words) {
  const std::regex name("([a-z]+)([0-9]*)");
  std::map<std::string, std::vector<int>> found;
  for (int i = 0; i < count; ++i) {
    std::cmatch parts;
    if (std::regex_match(words[i], parts, name)) found[parts[1]].push_back(i);
  }
  return static_cast<int>(found.size());
}
