/* See together.h. Of libsecp256k1's inside: field, scalars, points, and the tables of ecmult (Strauss with wNAF). */
#include "together.h"

#include <stdlib.h>
#include <string.h>

#include <secp256k1.h>

#include <assumptions.h>
#include <util.h>

#include <field_impl.h>
#include <scalar_impl.h>
#include <group_impl.h>
#include <int128_impl.h>
#include <scratch_impl.h>
#include <ecmult_impl.h>

#include "keccak.h"

#define FRAME_BYTES 97
#define DIGEST_BYTES 32
#define SCALAR_BYTES 32
#define POINT_BYTES 65
#define V_BASE 27
#define WEIGHT_BYTES 16
#define WEIGHT_BITS 129
#define TABLE ECMULT_TABLE_SIZE(WINDOW_A)

typedef struct {
  secp256k1_scalar r, s, m, weight;
  /* 1/s; before that, the product of all s up to this one. */
  secp256k1_scalar inverse;
  secp256k1_ge point;
  int wnaf[WEIGHT_BITS];
  int bits;
} signature_state;

typedef struct {
  signature_state signatures[MESHBOX_TOGETHER_MAX];
  secp256k1_ge odd[MESHBOX_TOGETHER_MAX * TABLE];
  secp256k1_fe ratios[MESHBOX_TOGETHER_MAX * TABLE];
  uint8_t hashed[MESHBOX_TOGETHER_MAX * FRAME_BYTES + POINT_BYTES];
} work_space;

/* What recovering it would refuse is refused: r or s out of 1..N-1, high s, another v, no point with that x. */
static int read_signature(signature_state* out, const uint8_t* frame, int accept_high_s) {
  const uint8_t* signature = frame + DIGEST_BYTES;
  const uint8_t v = signature[2 * SCALAR_BYTES];
  const uint8_t id = v >= V_BASE ? v - V_BASE : v;
  int r_over = 0, s_over = 0;
  secp256k1_fe x;
  if (id > 1) return 0;
  secp256k1_scalar_set_b32(&out->r, signature, &r_over);
  secp256k1_scalar_set_b32(&out->s, signature + SCALAR_BYTES, &s_over);
  if (r_over || s_over || secp256k1_scalar_is_zero(&out->r) || secp256k1_scalar_is_zero(&out->s)) return 0;
  if (!accept_high_s && secp256k1_scalar_is_high(&out->s)) return 0;
  secp256k1_scalar_set_b32(&out->m, frame, NULL);
  /* r is below N and so below p. */
  return secp256k1_fe_set_b32_limit(&x, signature) && secp256k1_ge_set_xo_var(&out->point, &x, id);
}

/* 16 bytes each, out of a hash of everything that is claimed. */
static void draw_weights(work_space* work, const uint8_t* frames, size_t count, const uint8_t* point) {
  uint8_t seed[32 + 1], drawn[32], wide[SCALAR_BYTES] = {0};
  size_t i;
  memcpy(work->hashed, frames, count * FRAME_BYTES);
  memcpy(work->hashed + count * FRAME_BYTES, point, POINT_BYTES);
  keccak256(work->hashed, count * FRAME_BYTES + POINT_BYTES, seed);
  for (i = 0; i < count; i++) {
    if (i % 2 == 0) {
      seed[32] = (uint8_t)(i / 2);
      keccak256(seed, sizeof seed, drawn);
    }
    memcpy(wide + SCALAR_BYTES - WEIGHT_BYTES, drawn + (i % 2) * WEIGHT_BYTES, WEIGHT_BYTES);
    secp256k1_scalar_set_b32(&work->signatures[i].weight, wide, NULL);
  }
}

/* One inversion for all of them (Montgomery's way). None is zero. */
static void invert_all(signature_state* signatures, size_t count) {
  secp256k1_scalar rest;
  size_t i;
  signatures[0].inverse = signatures[0].s;
  for (i = 1; i < count; i++) secp256k1_scalar_mul(&signatures[i].inverse, &signatures[i - 1].inverse, &signatures[i].s);
  secp256k1_scalar_inverse_var(&rest, &signatures[count - 1].inverse);
  for (i = count - 1; i > 0; i--) {
    secp256k1_scalar_mul(&signatures[i].inverse, &signatures[i - 1].inverse, &rest);
    secp256k1_scalar_mul(&rest, &rest, &signatures[i].s);
  }
  signatures[0].inverse = rest;
}

/* Sum of weight · R: all share the doublings, and all tables one z. */
static void weighed_sum(work_space* work, size_t count, secp256k1_gej* sum) {
  secp256k1_fe z;
  secp256k1_gej start;
  secp256k1_ge term;
  size_t i;
  int bit, bits = 0;
  secp256k1_fe_set_int(&z, 1);
  for (i = 0; i < count; i++) {
    signature_state* one = &work->signatures[i];
    one->bits = secp256k1_ecmult_wnaf(one->wnaf, WEIGHT_BITS, &one->weight, WINDOW_A);
    if (one->bits > bits) bits = one->bits;
    secp256k1_gej_set_ge(&start, &one->point);
    if (i > 0) secp256k1_gej_rescale(&start, &z);
    secp256k1_ecmult_odd_multiples_table(TABLE, work->odd + i * TABLE, work->ratios + i * TABLE, &z, &start);
  }
  secp256k1_ge_table_set_globalz(count * TABLE, work->odd, work->ratios);
  secp256k1_gej_set_infinity(sum);
  for (bit = bits - 1; bit >= 0; bit--) {
    secp256k1_gej_double_var(sum, sum, NULL);
    for (i = 0; i < count; i++) {
      const signature_state* one = &work->signatures[i];
      if (bit >= one->bits || one->wnaf[bit] == 0) continue;
      secp256k1_ecmult_table_get_ge(&term, work->odd + i * TABLE, one->wnaf[bit], WINDOW_A);
      secp256k1_gej_add_ge_var(sum, sum, &term, NULL);
    }
  }
  if (!secp256k1_gej_is_infinity(sum)) secp256k1_fe_mul(&sum->z, &sum->z, &z);
}

static int read_point(secp256k1_gej* out, const uint8_t* point) {
  secp256k1_fe x, y;
  secp256k1_ge read;
  if (point[0] != 4 || !secp256k1_fe_set_b32_limit(&x, point + 1) || !secp256k1_fe_set_b32_limit(&y, point + 1 + SCALAR_BYTES)) return 0;
  secp256k1_ge_set_xy(&read, &x, &y);
  secp256k1_gej_set_ge(out, &read);
  return secp256k1_ge_is_valid_var(&read);
}

static int sum_is_right(work_space* work, const uint8_t* frames, size_t count, const uint8_t* point, int accept_high_s) {
  secp256k1_scalar of_signer, of_generator, share;
  secp256k1_gej signer, expected, sum;
  size_t i;
  if (!read_point(&signer, point)) return 0;
  for (i = 0; i < count; i++)
    if (!read_signature(&work->signatures[i], frames + i * FRAME_BYTES, accept_high_s)) return 0;
  draw_weights(work, frames, count, point);
  invert_all(work->signatures, count);
  secp256k1_scalar_set_int(&of_signer, 0);
  secp256k1_scalar_set_int(&of_generator, 0);
  for (i = 0; i < count; i++) {
    const signature_state* one = &work->signatures[i];
    secp256k1_scalar weighed;
    secp256k1_scalar_mul(&weighed, &one->weight, &one->inverse);
    secp256k1_scalar_mul(&share, &weighed, &one->r);
    secp256k1_scalar_add(&of_signer, &of_signer, &share);
    secp256k1_scalar_mul(&share, &weighed, &one->m);
    secp256k1_scalar_add(&of_generator, &of_generator, &share);
  }
  secp256k1_ecmult(&expected, &signer, &of_signer, &of_generator);
  weighed_sum(work, count, &sum);
  secp256k1_gej_neg(&expected, &expected);
  secp256k1_gej_add_var(&sum, &sum, &expected, NULL);
  return secp256k1_gej_is_infinity(&sum);
}

int meshbox_all_signed_by(const uint8_t* frames, size_t count, const uint8_t* point, int accept_high_s) {
  work_space* work;
  int right;
  if (count == 0 || count > MESHBOX_TOGETHER_MAX) return 0;
  work = malloc(sizeof *work);
  if (work == NULL) return 0;
  right = sum_is_right(work, frames, count, point, accept_high_s);
  free(work);
  return right;
}
