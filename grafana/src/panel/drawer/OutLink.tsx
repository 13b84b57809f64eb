import { css } from '@emotion/css';
import { type GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import React, { type PropsWithChildren } from 'react';

interface Props {
  /** http or https, checked by whoever made it. */
  href: string;
  primary?: boolean;
}

/**
 * A link out of Grafana that looks like its buttons. Grafana's LinkButton decodes addresses to sanitize them, and so
 * would take apart a filter or an expression that holds & or #.
 */
export function OutLink({ href, primary = false, children }: PropsWithChildren<Props>) {
  const style = useStyles2(getStyles, primary);
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className={style}>
      <Icon name="external-link-alt" size="sm" />
      <span>{children}</span>
    </a>
  );
}

const getStyles = (theme: GrafanaTheme2, primary: boolean) => {
  const { main, shade, contrastText } = primary ? theme.colors.primary : theme.colors.secondary;
  return css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    height: theme.spacing(theme.components.height.sm),
    padding: theme.spacing(0, 1),
    borderRadius: theme.shape.radius.default,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    background: main,
    color: contrastText,
    '&:hover': { background: shade, color: contrastText },
  });
};
