/** ONNX models, put together node by node: https://onnx.ai/onnx/repo-docs/IR.html */
import { create, toBinary } from '@bufbuild/protobuf';
import { SecondOrderError } from '../errors';
import { packageVersion } from '../native';
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb';

/** The version of ONNX's operators, and that of its file format which goes with it (ONNX 1.12). */
export const OPSET = 17;
const IR_VERSION = 8;

/** A protobuf message cannot be larger. */
const MOST_BYTES = 2 ** 31 - 1;

/** Types of tensors, by their numbers in ONNX. */
export const TYPES = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int64: TensorProto_DataType.INT64,
  string: TensorProto_DataType.STRING,
} as const;

export type TensorType = keyof typeof TYPES;

/** The first size of inputs and outputs, which is free. */
const BATCH = 'batch';

/** A graph in the making. Tensors are known by their names. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #constants: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  /** Declares an input, batch × size. */
  input(name: string, type: TensorType, size: number): string {
    this.#inputs.push(valueInfo(name, type, size));
    return name;
  }

  /** Declares that a tensor is an output, batch × size, or a vector of the batch. */
  output(name: string, type: TensorType, size?: number): void {
    this.#outputs.push(valueInfo(name, type, size));
  }

  /** Adds a node whose one output has its name. Attributes are integers. */
  add(
    name: string,
    operator: string,
    inputs: string[],
    attributes: Record<string, number> = {},
  ): string {
    const attribute = Object.entries(attributes).map(([key, value]) => ({
      name: key,
      type: AttributeProto_AttributeType.INT,
      i: BigInt(value),
    }));
    const fields = { name, opType: operator, input: inputs, output: [name], attribute };
    this.#nodes.push(create(NodeProtoSchema, fields));
    return name;
  }

  /**
   * Adds a constant of float32.
   *
   * @throws SecondOrderError ERR_NUMERICAL (a value beyond float32)
   */
  float32(name: string, values: Iterable<number>, dims: number[]): string {
    const data = Float32Array.from(values);
    if (!data.every(Number.isFinite)) {
      throw new SecondOrderError(
        'ERR_NUMERICAL',
        `${name}: a value is beyond the range of float32`,
      );
    }
    return this.#constant(name, 'float32', data, dims);
  }

  /** Adds a constant of float64. */
  float64(name: string, values: Float64Array, dims: number[]): string {
    return this.#constant(name, 'float64', values, dims);
  }

  /** Adds a vector of integers. */
  int64(name: string, values: readonly number[]): string {
    return this.#constant(name, 'int64', BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** Adds a vector of texts. */
  strings(name: string, values: readonly string[]): string {
    const encoder = new TextEncoder();
    const fields = {
      name,
      dataType: TYPES.string,
      dims: [BigInt(values.length)],
      stringData: values.map((value) => encoder.encode(value)),
    };
    this.#constants.push(create(TensorProtoSchema, fields));
    return name;
  }

  /**
   * The model as bytes, with entries for its metadata.
   *
   * @throws SecondOrderError ERR_INVALID_ARGUMENT (more than 2 GiB, which ONNX files cannot hold)
   */
  finish(name: string, metadata: Readonly<Record<string, string>>): Uint8Array {
    const bytes = this.#constants.reduce((sum, { rawData }) => sum + rawData.length, 0);
    if (bytes > MOST_BYTES) {
      const message = `network: its weights have ${bytes} bytes; an ONNX file holds ${MOST_BYTES}`;
      throw new SecondOrderError('ERR_INVALID_ARGUMENT', message, { argument: 'network' });
    }
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(IR_VERSION),
      opsetImport: [{ domain: '', version: BigInt(OPSET) }],
      producerName: 'secondorder',
      producerVersion: packageVersion(),
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#constants,
        input: this.#inputs,
        output: this.#outputs,
      },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    });
    return toBinary(ModelProtoSchema, model);
  }

  #constant(
    name: string,
    type: Exclude<TensorType, 'string'>,
    values: Float32Array | Float64Array | BigInt64Array,
    dims: number[],
  ): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const fields = { name, dataType: TYPES[type], dims: dims.map(BigInt), rawData };
    this.#constants.push(create(TensorProtoSchema, fields));
    return name;
  }
}

function valueInfo(name: string, type: TensorType, size: number | undefined): ValueInfoProto {
  const batch = { value: { case: 'dimParam' as const, value: BATCH } };
  const width = { value: { case: 'dimValue' as const, value: BigInt(size ?? 0) } };
  const shape = { dim: size === undefined ? [batch] : [batch, width] };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: TYPES[type], shape } } },
  });
}
