#include "stack.h"
#include <stdio.h>
#include <stdlib.h>

static double numbers[64];
static int count;

void push(double number) {
  if (count == 64) {
    fputs("the stack is full\n", stderr);
    exit(1);
  }
  numbers[count++] = number;
}

double pop(void) {
  if (count == 0) {
    fputs("the stack is empty\n", stderr);
    exit(1);
  }
  return numbers[--count];
}
