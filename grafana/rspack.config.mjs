// Builds the app, its data source and its panel as Grafana loads them: AMD modules, shared packages left out.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rspack } from '@rspack/core';

const root = dirname(fileURLToPath(import.meta.url));
const { version, name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A build can be repeated to the byte: the day is that of the commit where SOURCE_DATE_EPOCH says so. */
const built = process.env.SOURCE_DATE_EPOCH ? new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000) : new Date();
const stamp = (content) =>
  content.toString().replaceAll('%VERSION%', version).replaceAll('%TODAY%', built.toISOString().slice(0, 10));

export default {
  context: join(root, 'src'),
  mode: 'production',
  devtool: 'source-map',
  target: ['web', 'es2022'],
  entry: { module: './module.ts', 'datasource/module': './datasource/module.ts', 'panel/module': './panel/module.ts' },
  output: {
    path: join(root, 'dist'),
    filename: '[name].js',
    clean: true,
    library: { type: 'amd' },
    publicPath: `public/plugins/${name}/`,
    uniqueName: name,
  },
  // What Grafana shares with its plugins. A package that is missing here would be bundled a second time.
  externals: [
    { 'amd-module': 'module' },
    'react',
    'react/jsx-runtime',
    'react/jsx-dev-runtime',
    'react-dom',
    'react-redux',
    'react-router',
    'redux',
    'rxjs',
    'rxjs/operators',
    'lodash',
    'moment',
    'd3',
    'jquery',
    'i18next',
    'prismjs',
    '@emotion/css',
    '@emotion/react',
    'slate',
    'slate-plain-serializer',
    '@grafana/slate-react',
    /^@grafana\/(ui|runtime|data)/,
  ],
  resolve: {
    extensions: ['.ts', '.tsx', '.js'],
    // The panel draws with the same modules as the receiver's own page.
    alias: { '@page': join(root, '../receiver/page') },
  },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: 'builtin:swc-loader',
        options: { jsc: { parser: { syntax: 'typescript', tsx: true }, target: 'es2022' } },
        type: 'javascript/auto',
      },
    ],
  },
  plugins: [
    new rspack.CopyRspackPlugin({
      patterns: [
        { from: '**/plugin.json', transform: stamp },
        { from: 'README.md', transform: stamp },
        { from: 'img/**/*' },
        { from: '../CHANGELOG.md' },
        { from: '../LICENSE' },
      ],
    }),
  ],
  performance: { hints: false },
  stats: { preset: 'errors-warnings', assets: true },
};
