/* What both publishers are told: key=value on the command line. */
#ifndef OPTIONS_H
#define OPTIONS_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int option_count;
static char **option_values;

static const char *text_option (const char *key, const char *otherwise)
{
  size_t length = strlen (key);
  for (int i = 1; i < option_count; i++)
    if (strncmp (option_values[i], key, length) == 0 && option_values[i][length] == '=')
      return option_values[i] + length + 1;
  return otherwise;
}

static long number_option (const char *key, long otherwise)
{
  const char *text = text_option (key, NULL);
  return text ? atol (text) : otherwise;
}

/* A record of the file dump=: length, then the CDR as it was published. */
static void dump_bytes (FILE *file, const void *bytes, unsigned size)
{
  if (file == NULL)
    return;
  fwrite (&size, sizeof (size), 1, file);
  fwrite (bytes, 1, size, file);
}

static void sleep_until (struct timespec *due, long long period_ns)
{
  due->tv_nsec += period_ns % 1000000000;
  due->tv_sec += period_ns / 1000000000;
  if (due->tv_nsec >= 1000000000)
  {
    due->tv_nsec -= 1000000000;
    due->tv_sec++;
  }
  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL);
}

static void sleep_ms (long ms)
{
  struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };
  nanosleep (&time, NULL);
}

static void say (const char *line)
{
  puts (line);
  fflush (stdout);
}

/* Text number n of a given length: letters that differ from message to message. */
static void fill_text (char *text, size_t length, unsigned n)
{
  for (size_t i = 0; i < length; i++)
    text[i] = (char) ('a' + (i + n) % 26);
  text[length] = 0;
}
#endif
