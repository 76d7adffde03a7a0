#include "core/text.hpp"
int main() { return 0; }
