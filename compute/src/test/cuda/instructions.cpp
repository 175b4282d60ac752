// Warp instructions and number formats that g++ has no instruction for.
#include "emulator.h"

namespace emulator {

float from_half(uint16_t bits) {
  _Float16 x;
  memcpy(&x, &bits, 2);
  return (float)x;
}

uint16_t to_half(float x) {
  _Float16 h = (_Float16)x;
  uint16_t bits;
  memcpy(&bits, &h, 2);
  return bits;
}

static float low(unsigned pair) { return float_of(pair << 16); }
static float high(unsigned pair) { return float_of(pair & 0xffff0000u); }

// Each lane needs rows g and g+8 of a and columns 2t and 2t+1 of b, which the lanes of its row and column hold.
void mma_16x8x16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  struct Registers {
    unsigned a[4], b[2];
  };
  unsigned char* room = warp_room();
  Registers mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  memcpy(room + 64 * lane_index(), &mine, sizeof mine);
  warp_barrier(0xffffffffu);
  int g = lane_index() / 4, t = lane_index() % 4;
  float sums[2][2] = {{d[0], d[1]}, {d[2], d[3]}};
  for (int k = 0; k < 4; k++) {  // lane k of a quad holds elements 2k, 2k+1, 2k+8, 2k+9 of the inner dimension
    Registers row, left, right;
    memcpy(&row, room + 64 * (4 * g + k), sizeof row);
    memcpy(&left, room + 64 * (4 * (2 * t) + k), sizeof left);
    memcpy(&right, room + 64 * (4 * (2 * t + 1) + k), sizeof right);
    for (int half = 0; half < 2; half++) {
      for (int r = 0; r < 2; r++) {
        unsigned x = row.a[2 * half + r];
        sums[r][0] += low(x) * low(left.b[half]) + high(x) * high(left.b[half]);
        sums[r][1] += low(x) * low(right.b[half]) + high(x) * high(right.b[half]);
      }
    }
  }
  d[0] = sums[0][0], d[1] = sums[0][1], d[2] = sums[1][0], d[3] = sums[1][1];
}

static void rows_of_warp(const uint16_t* (&rows)[32], const void* mine) {
  unsigned char* room = warp_room();
  memcpy(room + 64 * lane_index(), &mine, sizeof mine);
  warp_barrier(0xffffffffu);
  for (int i = 0; i < 32; i++) memcpy(&rows[i], room + 64 * i, sizeof mine);
}

static void check_aligned(const void* row) {
  if ((uintptr_t)row % 16 != 0) fail("ldmatrix: the address of a row is no multiple of 16");
}

void ldmatrix_x4(unsigned (&r)[4], const void* row) {
  check_aligned(row);
  const uint16_t* rows[32];
  rows_of_warp(rows, row);
  int g = lane_index() / 4, t = lane_index() % 4;
  for (int m = 0; m < 4; m++) r[m] = rows[8 * m + g][2 * t] | (unsigned)rows[8 * m + g][2 * t + 1] << 16;
}

void ldmatrix_x4_transposed(unsigned (&r)[4], const void* row) {
  check_aligned(row);
  const uint16_t* rows[32];
  rows_of_warp(rows, row);
  int g = lane_index() / 4, t = lane_index() % 4;
  for (int m = 0; m < 4; m++) r[m] = rows[8 * m + 2 * t][g] | (unsigned)rows[8 * m + 2 * t + 1][g] << 16;
}

}  // namespace emulator
