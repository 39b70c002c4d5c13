/* A stack of numbers. */
#ifndef STACK_H
#define STACK_H
void push(double number);
double pop(void);
#endif
