/*
 * Many signatures that are said to be of one signer, checked at once: about a third of what recovering each costs.
 *
 * Signature i (r, s, v over digest m) recovers to Q exactly if R = (m/s)·G + (r/s)·Q, where R is the point with x = r
 * whose y has the parity that v says. All of it holds, but for a chance of 2^-128, if it holds for the sum over all i,
 * each weighed with 128 bits that depend on every byte of all of them: Bellare, Garay, Rabin, "Fast batch verification
 * for modular exponentiation and digital signatures" (1998), small exponents test. The group's order is prime, so that
 * there are no small subgroups to hide in, and v is part of it: what passes recovers to Q one by one too.
 */
#ifndef MESHBOX_TOGETHER_H
#define MESHBOX_TOGETHER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Frames that are checked at once, at most. */
#define MESHBOX_TOGETHER_MAX 64

/**
 * Whether each of `count` frames (digest 32 ‖ r ‖ s ‖ v 65, without gaps) recovers to the public key `point` (04 ‖ x ‖ y).
 * v is 0, 1, 27 or 28. 0 also where memory is missing, and above MESHBOX_TOGETHER_MAX: then each has to be recovered.
 */
int meshbox_all_signed_by(const uint8_t* frames, size_t count, const uint8_t* point, int accept_high_s);

#ifdef __cplusplus
}
#endif

#endif
