/* A calculator in Polish notation: calc 1 2 + 4 x prints 12. */
#include "stack.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    char *end;
    const double number = strtod(argv[i], &end);
    if (*end == '\0' && end != argv[i]) {
      push(number);
      continue;
    }
    const double right = pop(), left = pop();
    push(argv[i][0] == '+'   ? left + right
         : argv[i][0] == '-' ? left - right
                             : left * right);
  }
  printf("%g\n", pop());
  return 0;
}
