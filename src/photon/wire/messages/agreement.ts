/** What settlements and withdrawals have in common: one side asks with its signature for the contract, the other answers with its own, or refuses. */
import type { ChannelKey } from '../../ports.ts'
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import { readKey, writeKey } from '../envelope.ts'
import { checkContractSignature, readContractSignature, readReason, writeContractSignature, writeReason } from '../layout.ts'

/** How a profile writes the terms. */
export interface TermsForm<T> {
  readonly profile: 'v1' | 'v2'
  /** Of the reason's length. */
  readonly lengthBytes: 2 | 4
  readonly version: number
  write(out: ByteWriter, terms: T): void
  read(from: ByteReader): T
}

interface Question<T> {
  readonly key: ChannelKey
  readonly terms: T
  readonly contractSignature: Uint8Array
}

interface Answer<T> extends Question<T> {
  readonly code: number
  readonly reason: string
}

interface Body<B> {
  write(out: ByteWriter, body: B): void
  read(from: ByteReader): B
}

/** channel 32 ‖ epoch 8 ‖ terms ‖ contract signature 65. */
export function questionBody<T>(form: TermsForm<T>): Body<Question<T>> {
  return {
    write(out, question) {
      writeKey(out, question.key)
      form.write(out, question.terms)
      writeContractSignature(out, question.contractSignature, form.profile)
    },
    read(from) {
      const key = readKey(from)
      const terms = form.read(from)
      const contractSignature = readContractSignature(from)
      checkContractSignature(from, contractSignature, form.profile)
      return { key, terms, contractSignature }
    },
  }
}

/** The same ‖ code 4 ‖ length ‖ reason. */
export function answerBody<T>(form: TermsForm<T>): Body<Answer<T>> {
  return {
    write(out, answer) {
      writeKey(out, answer.key)
      form.write(out, answer.terms)
      writeContractSignature(out, answer.contractSignature, form.profile, answer.code)
      writeReason(out, answer.code, answer.reason, form.lengthBytes)
    },
    read(from) {
      const key = readKey(from)
      const terms = form.read(from)
      const contractSignature = readContractSignature(from)
      const { code, reason } = readReason(from, form.lengthBytes)
      checkContractSignature(from, contractSignature, form.profile, code)
      return { key, terms, contractSignature, code, reason }
    },
  }
}
